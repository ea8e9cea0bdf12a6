"""Deployments: created, changed a field at a time, and removed where prefect.yaml declares them no more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from platformctl.model.deployment import MARK, SCHEMA, FlowDescription, Json, LiveDeployment
from platformctl.model.digest import digest_of
from platformctl.model.observed import Observed
from platformctl.plan.causes import unknown_cause
from platformctl.plan.differences import differing, shown
from platformctl.plan.resources.schedule import schedule_steps
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World
from platformctl.spec.prefect_yaml.templates import fill_references, find_references
from platformctl.stack.definition import Definition, define
from platformctl.stack.deployments import Deployment

Pair = tuple[Deployment, LiveDeployment | None]


@dataclass(frozen=True, slots=True)
class CreateDeployment:
    """Create a deployment of a flow. fields: as Prefect names them, with its schedules. secret: those with values of blocks."""

    needs_client: ClassVar[bool] = False
    flow: str
    fields: Json
    secret: Json = field(default_factory=dict)

    def apply(self, world: World) -> None:
        """Create it in Prefect."""
        world.api.definitions.create(self.flow, {**self.fields, **_filled(world, self.secret)})


@dataclass(frozen=True, slots=True)
class UpdateDeployment:
    """Change some fields of a deployment, named as Prefect names them. deployment: its id. secret: those with values of blocks."""

    needs_client: ClassVar[bool] = False
    deployment: str
    fields: Json
    secret: Json = field(default_factory=dict)

    def apply(self, world: World) -> None:
        """Change them in Prefect."""
        world.api.definitions.update(self.deployment, {**self.fields, **_filled(world, self.secret)})


@dataclass(frozen=True, slots=True)
class SetTriggers:
    """Have some automations as those of a deployment's triggers, and no others. deployment: its id."""

    needs_client: ClassVar[bool] = False
    deployment: str
    automations: tuple[Json, ...]

    def apply(self, world: World) -> None:
        """Replace them in Prefect."""
        world.api.definitions.set_automations(self.deployment, self.automations)


@dataclass(frozen=True, slots=True)
class RemoveDeployment:
    """Delete a deployment with its schedules and triggers. deployment: its id."""

    needs_client: ClassVar[bool] = False
    deployment: str

    def apply(self, world: World) -> None:
        """Delete it in Prefect."""
        world.api.definitions.delete(self.deployment)


@dataclass(frozen=True, slots=True)
class ForgetFormer:
    """Delete the variable in which an earlier platformctl kept what deployments were registered from."""

    needs_client: ClassVar[bool] = False

    def apply(self, world: World) -> None:
        """Delete it in Prefect."""
        world.api.definitions.forget_former()


def _filled(world: World, secret: Json) -> Json:
    """Fields with what they refer to, which no step holds: a plan is shown, and written down."""
    return fill_references(secret, world.api.definitions.values_of(find_references(secret))) if secret else {}


def deployment_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Create what Prefect lacks, and change of the others what differs; what somebody paused stays so unless it is declared."""
    references = observed.prefect.references if observed.prefect else dict.fromkeys(wanted.stack.references, "")
    for deployment, there in pairs(wanted.stack.deployments, observed):
        definition = define(deployment, references)
        flow = observed.flows.get(deployment.image, {}).get(deployment.key)
        if there is None:
            yield _create(deployment, definition, flow, unknown_cause(observed) or "not in Prefect")
        else:
            yield from _change(deployment, there, definition, flow)


def deployment_removal_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Remove deployments that came from here and that prefect.yaml declares no more."""
    if observed.prefect is None:
        return
    kept = {there.id for _, there in pairs(wanted.stack.deployments, observed) if there}
    former = observed.prefect.former
    for there in observed.prefect.deployments:
        if there.id not in kept and (there.mark is not None or there.key in (former or {})):
            cause = "no longer in prefect.yaml"
            yield Step(f"deployment {there.whole_name}", Action.REMOVE, cause, RemoveDeployment(there.id))
    if former is not None:
        yield Step(
            "variable platformctl_deployments", Action.REMOVE, "each deployment has its own mark", ForgetFormer()
        )


def pairs(deployments: Sequence[Deployment], observed: Observed) -> list[Pair]:
    """Return each declared deployment with what Prefect has of it, by its flow's name or else by its entrypoint."""
    live = observed.prefect.deployments if observed.prefect else ()
    by_name = {found.whole_name: found for found in live}
    by_key = {found.key: found for found in live}

    def find(deployment: Deployment) -> LiveDeployment | None:
        described = observed.flows.get(deployment.image, {}).get(deployment.key)
        if described:
            return by_name.get(f"{described.flow}/{deployment.name}")
        return by_key.get(deployment.key) or by_name.get(f"{deployment.flow}/{deployment.name}")

    return [(deployment, find(deployment)) for deployment in deployments]


def is_described(deployment: Deployment, there: LiveDeployment) -> bool:
    """Whether a deployment in Prefect still has what it was given of its flow's code, and needs no more of it."""
    mark = there.mark or {}
    is_whole = mark.get("from_flow") == deployment.from_flow and _is_untouched(there)
    return is_whole and (not deployment.triggers or mark.get("triggers") == digest_of(deployment.triggers))


def _is_untouched(there: LiveDeployment) -> bool:
    mark = there.mark or {}
    return mark.get("described") == _described(there.schema, there.fields, mark.get("from_flow", ()))


def _described(schema: Json, fields: Json, from_flow: Sequence[str]) -> str:
    """The digest of what is from the flow's code."""
    return digest_of([schema, [fields.get(key) for key in from_flow]])


def _whole(definition: Definition, flow: FlowDescription | None) -> dict[str, Any]:
    """All fields, those from the flow's code among them where it is known."""
    own = {"description": flow.description, "version": flow.version} if flow else {}
    return {**own, **definition.fields}


def _mark(deployment: Deployment, definition: Definition, fields: Json, schema: Json) -> dict[str, Any]:
    """What is kept with a deployment: what it was deployed from, so far as its fields don't tell."""
    return {
        "declared": digest_of(definition.fields),
        "described": _described(schema, fields, deployment.from_flow),
        "from_flow": deployment.from_flow,
        "schedules": definition.schedules is not None,
        "triggers": digest_of(deployment.triggers) if deployment.triggers else "",
    }


def _create(deployment: Deployment, definition: Definition, flow: FlowDescription | None, cause: str) -> Step:
    """The automations of triggers need the id that it gets: they are its first change."""
    fields = {key: value for key, value in _whole(definition, flow).items() if value is not None}
    schema = flow.schema if flow else {}
    mark = _mark(deployment, definition, fields, schema) | {"triggers": ""}
    schedules = [
        {key: value for key, value in each.items() if key != "replaces"} for each in definition.schedules or ()
    ]
    body = {"name": deployment.name, **fields, SCHEMA: {**schema, MARK: mark}, "schedules": schedules}
    shown_body = {key: value for key, value in body.items() if key not in definition.secret}
    change = CreateDeployment(flow.flow if flow else deployment.flow, shown_body, definition.secret)
    return Step(f"deployment {change.flow}/{deployment.name}", Action.CREATE, cause, change)


def _change(
    deployment: Deployment, there: LiveDeployment, definition: Definition, flow: FlowDescription | None
) -> Iterator[Step]:
    """What is marked as done comes before its mark."""
    old, fields = there.mark or {}, _whole(definition, flow)
    schema = flow.schema if flow else there.schema
    mark = _mark(deployment, definition, {**there.fields, **fields}, schema)
    yield from schedule_steps(there, definition.schedules, had_some=bool(old.get("schedules")))
    if mark["triggers"] != old.get("triggers", ""):
        yield _set_triggers(there, flow.automations if flow and deployment.triggers else ())
    changed = differing(there.fields, fields)
    is_marked = all(old.get(key) == value for key, value in mark.items() if key != "declared")
    if changed or schema != there.schema or not is_marked:
        cause = _cause(there, definition, changed, is_other_schema=schema != there.schema)
        open_ = [key for key in _together(changed) if key not in definition.secret]
        body = {**{key: fields[key] for key in open_}, SCHEMA: {**schema, MARK: mark}}
        secret = {key: value for key, value in definition.secret.items() if key in changed}
        yield Step(f"deployment {there.whole_name}", Action.UPDATE, cause, UpdateDeployment(there.id, body, secret))


def _set_triggers(there: LiveDeployment, automations: Sequence[Json]) -> Step:
    cause = "as prefect.yaml declares them" if automations else "not in prefect.yaml"
    return Step(f"triggers of {there.whole_name}", Action.UPDATE, cause, SetTriggers(there.id, tuple(automations)))


def _together(changed: Mapping[str, object]) -> list[str]:
    """What Prefect takes together: a pool without a queue means the pool's first one."""
    both = ["work_pool_name", "work_queue_name"]
    return [*(both if any(key in changed for key in both) else []), *(key for key in changed if key not in both)]


def _cause(
    there: LiveDeployment, definition: Definition, changed: Mapping[str, tuple[Any, Any]], *, is_other_schema: bool
) -> str:
    said = [
        f"{key} changed" if key in definition.secret else f"{key} {shown(old)} -> {shown(new)}"
        for key, (old, new) in changed.items()
    ]
    said += ["its flow takes other parameters"] if is_other_schema else []
    if not there.mark:
        return ", ".join(["deployed by other means so far", *said])
    is_declared_so = there.mark.get("declared") == digest_of(definition.fields)
    is_of_code = _is_untouched(there) and all(key in there.mark.get("from_flow", ()) for key in changed)
    if is_declared_so and not is_of_code:
        return f"changed in Prefect: {', '.join(said) or 'what its flow gives it'}"
    return ", ".join(said) or "what else it declares is recorded"
