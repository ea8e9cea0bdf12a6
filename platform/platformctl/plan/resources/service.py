"""The server and its database: started, replaced, and waited for until they are healthy."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from platformctl.model.observed import Observed
from platformctl.model.service import Role, Service
from platformctl.plan.await_started import await_service
from platformctl.plan.causes import describe, replacement_cause
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World
from platformctl.state.secrets import SERVER_PROFILE


@dataclass(frozen=True, slots=True)
class StartServices:
    """Create, replace or start services, without waiting for them. recreate: also those that are as they should be."""

    needs_client: ClassVar[bool] = False
    services: tuple[str, ...]
    recreate: bool = False

    def apply(self, world: World) -> None:
        """Have the runtime start them."""
        world.runtime.start(self.services, recreate=self.recreate)


@dataclass(frozen=True, slots=True)
class AwaitService:
    """Wait until a service is healthy, or a one-shot completed. instance: the name of what runs it."""

    needs_client: ClassVar[bool] = False
    service: str
    instance: str
    is_oneshot: bool = False

    def apply(self, world: World) -> None:
        """Wait; raises ServiceError with its last lines."""
        await_service(world.runtime, self.service, self.instance, world.note, is_oneshot=self.is_oneshot)


def service_steps(wanted: Wanted, observed: Observed, role: Role) -> Iterator[Step]:
    """Start, replace or wait for the service of a role, where the platform has one and it isn't as it should be."""
    for service in wanted.stack.services:
        if service.role == role and (found := _need(service, observed)):
            action, cause, change = found
            yield from [Step(service.name, action, cause, change)] if change else []
            yield await_step(service, service.name)


def await_step(service: Service, resource: str) -> Step:
    """Return the step that waits for a service."""
    what = "to be done" if service.is_oneshot else "to be healthy"
    return Step(
        resource, Action.WAIT, what, AwaitService(service.name, service.instance, is_oneshot=service.is_oneshot)
    )


def _need(service: Service, observed: Observed) -> tuple[Action, str, StartServices | None] | None:
    """What must happen before a service can be waited for; None where it needn't be."""
    instances = observed.machine.of_service(service.name)
    start, replace = StartServices((service.name,)), StartServices((service.name,), recreate=True)
    if not instances:
        return Action.CREATE, "not there", start
    if cause := replacement_cause(service, instances):
        return Action.REPLACE, cause, replace
    if service.role == "server" and SERVER_PROFILE in observed.unwritten_secrets:
        return Action.REPLACE, "its secrets changed", replace
    if instances[0].health == "unhealthy":
        return Action.REPLACE, "unhealthy", replace
    if instances[0].status != "running":
        return Action.START, describe(instances[0]), start
    return None if instances[0].is_ready else (Action.WAIT, "starting", None)
