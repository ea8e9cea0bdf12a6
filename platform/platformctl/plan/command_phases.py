"""The phases of commands: from what is wanted and what is there to steps, in the order in which things must happen. All pure."""

from collections.abc import Iterator
from functools import partial

from platformctl.model.observed import Observed
from platformctl.plan.phases import Phase
from platformctl.plan.resources.automation import automation_steps
from platformctl.plan.resources.bundle import built_bundle_steps, bundle_steps
from platformctl.plan.resources.deployment import deployment_removal_steps, deployment_steps
from platformctl.plan.resources.drain import interrupted_drain_steps, unmark_steps
from platformctl.plan.resources.flows import flow_steps, record_steps
from platformctl.plan.resources.image import build_steps, pull_steps
from platformctl.plan.resources.instance import leftover_steps, removal_steps
from platformctl.plan.resources.network import network_removal_steps
from platformctl.plan.resources.old_image import old_image_steps, own_image_steps
from platformctl.plan.resources.pool import pool_steps
from platformctl.plan.resources.replacement import replacement_steps
from platformctl.plan.resources.results import first_copy_steps, last_copy_steps
from platformctl.plan.resources.run import lost_run_steps
from platformctl.plan.resources.schema import schema_steps
from platformctl.plan.resources.secrets import secret_steps
from platformctl.plan.resources.service import service_steps
from platformctl.plan.resources.volume import volume_removal_steps
from platformctl.plan.resources.worker import (
    await_worker_steps,
    start_worker_steps,
    surplus_steps,
    worker_removal_steps,
)
from platformctl.plan.step import Step
from platformctl.plan.wanted import Wanted
from platformctl.spec.load import Project


def up_phases(wanted: Wanted) -> tuple[Phase, ...]:
    """Return the phases that bring a platform to what is wanted; none has anything to do where it is that already.

    Where no server answers, what Prefect holds is not known: those steps assume that it holds nothing, say so in their causes,
    and are worked out anew once it answers. They raise SpecError for a pool that Prefect has with another type.
    """
    return (
        Phase("server", partial(_server, wanted)),
        Phase("pools and workers", partial(_pools_and_workers, wanted)),
        *deployment_phases(wanted),
        Phase("lost runs", partial(lost_run_steps, wanted.project)),
        Phase("old images", partial(old_image_steps, wanted)),
    )


def deploy_phases(wanted: Wanted, *, is_whole: bool, prunes: bool) -> tuple[Phase, ...]:
    """Return the phases that bring deployments to what is wanted, with the images and the workers that their runs need.

    is_whole: whether the deployments are all that are declared. prunes: whether others that came from here are removed.
    """
    return (
        Phase("images", partial(_images, wanted)),
        Phase("pools and workers", partial(_pools_and_workers, wanted)),
        *deployment_phases(wanted, is_whole=is_whole, prunes=prunes),
        Phase("lost runs", partial(lost_run_steps, wanted.project)),
    )


def deployment_phases(wanted: Wanted, *, is_whole: bool = True, prunes: bool = True) -> tuple[Phase, ...]:
    """Return the phases that bring deployments to what is wanted, once their flows are described.

    A new one has its id, which its triggers name, and one whose flow has another name by now its place, in the second.
    """
    return (
        Phase("deployments", partial(deployment_steps, wanted)),
        Phase("what follows from them", partial(_after_deployments, wanted, is_whole=is_whole, prunes=prunes)),
    )


def down_phases(project: Project, cause: str, *, volumes: bool) -> tuple[Phase, ...]:
    """Return the phases that take a platform down: workers are drained first; data and images go only if that is asked for."""
    return (
        Phase("workers", partial(worker_removal_steps, project, cause=cause)),
        Phase("lost runs", partial(lost_run_steps, project)),
        Phase("containers, networks and data", partial(_everything_else, cause=cause, volumes=volumes)),
    )


def _server(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """What leads to a server that answers.

    Where nothing runs yet, a build that fails leaves nothing alone: what can begin meanwhile begins. Elsewhere nothing is
    touched before every image is there.
    """
    yield from secret_steps(observed)
    is_new = not observed.machine.instances
    yield from _new_server(wanted, observed) if is_new else _changed_server(wanted, observed)


def _changed_server(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    yield from pull_steps(wanted, observed)
    yield from built_bundle_steps(wanted, observed, tuple(build_steps(wanted.stack.built, observed)))
    yield from service_steps(wanted, observed, "database")
    yield from schema_steps(wanted, observed)
    yield from service_steps(wanted, observed, "server")


def _images(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    yield from built_bundle_steps(wanted, observed, tuple(build_steps(wanted.stack.images, observed)))


def _new_server(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """The database is made while the server's image is built, the schema while the workers' are; workers load beside the server."""
    yield from bundle_steps(wanted, observed)
    server_image = tuple(image for image in wanted.stack.built if image is wanted.stack.server_image)
    start_database, *await_database = tuple(service_steps(wanted, observed, "database")) or (None,)
    yield from pull_steps(wanted, observed)
    yield from [start_database] if start_database else []
    yield from build_steps(server_image, observed)
    yield from await_database
    migrate, *await_schema = tuple(schema_steps(wanted, observed)) or (None,)
    yield from [migrate] if migrate else []
    yield from build_steps(wanted.stack.images, observed)
    yield from await_schema
    start_server, *await_server = service_steps(wanted, observed, "server")
    yield start_server
    yield from first_copy_steps(wanted, observed)
    yield from start_worker_steps(wanted, observed, before_server=True)
    yield from await_server


def _pools_and_workers(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """What the server must hold, and who works for it. A flow that can't be loaded leaves the workers alone."""
    yield from interrupted_drain_steps(observed)
    yield from pool_steps(wanted, observed)
    yield from flow_steps(wanted, observed)
    yield from automation_steps(observed)
    yield from lost_run_steps(wanted.project, observed)
    yield from first_copy_steps(wanted, observed)
    yield from start_worker_steps(wanted, observed)
    yield from replacement_steps(wanted, observed)
    yield from await_worker_steps(wanted, observed)
    yield from surplus_steps(wanted, observed)
    yield from last_copy_steps(wanted, observed)
    yield from leftover_steps(wanted, observed)


def _after_deployments(wanted: Wanted, observed: Observed, *, is_whole: bool, prunes: bool) -> Iterator[Step]:
    yield from deployment_steps(wanted, observed)
    if prunes:
        yield from deployment_removal_steps(wanted, observed)
    if is_whole:
        yield from record_steps(wanted, observed)


def _everything_else(observed: Observed, cause: str, *, volumes: bool) -> Iterator[Step]:
    """Marks of drains are about pools that the database holds: they go with it."""
    yield from removal_steps(observed.machine, cause, is_data_kept=not volumes)
    yield from network_removal_steps(observed.machine, cause)
    if volumes:
        yield from volume_removal_steps(observed.machine)
        yield from unmark_steps(observed)
        yield from own_image_steps(observed, "down --volumes")
