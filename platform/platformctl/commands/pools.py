"""Work pools: written to platform.toml, and brought to Prefect where a platform runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platformctl.adapters.prefect.ports import Api
from platformctl.commands.change import Edits, Outcome, change, edit_keys_of, edited_spec
from platformctl.commands.run import require_server
from platformctl.commands.status import pool_state
from platformctl.commands.workspace import Workspace
from platformctl.errors import UsageError
from platformctl.model.observed import FlowRun, Observed
from platformctl.model.spec import KeyPath, Value
from platformctl.model.texts import is_name
from platformctl.plan.observe import observe
from platformctl.plan.report import Progress, Report
from platformctl.plan.resources.worker import is_online
from platformctl.plan.wanted import Wanted
from platformctl.spec.edit import remove_table
from platformctl.spec.load import Project
from platformctl.spec.problems import unknown_name
from platformctl.stack.deployments import load_deployments

_IN_FLIGHT = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED")


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool, as wanted and as it is. state: as `status` has it, or missing (in Prefect), or foreign (not in platform.toml)."""

    name: str
    type: str
    workers_wanted: int
    workers_online: int
    limit: int | None
    image: str
    state: str


def pool_creation_edits(names: Sequence[str], settings: Mapping[str, Value]) -> Edits:
    """Return the edits that add pools with some settings; they raise UsageError for one that is there already."""

    def edits(project: Project) -> Mapping[KeyPath, Value]:
        images = list(project.spec.images)
        if settings.get("image") is None and len(images) > 1:
            remedy = f"Add --image NAME, one of: {', '.join(images)}."
            raise UsageError(f"A new pool needs an image, and platform.toml has {len(images)}.", remedy=remedy)
        for name in names:
            if not is_name(name):
                remedy = "Names have at most 30 lower-case letters, digits and hyphens, a letter first."
                raise UsageError(f"{name!r} is not a legal name of a pool.", remedy=remedy)
            if name in project.spec.pools or names.count(name) > 1:
                where = "twice on the command line" if names.count(name) > 1 else f"in {project.file.name} already"
                remedy = f"`platformctl pools set {name}` changes it; `platformctl pools ls` lists them."
                raise UsageError(f"The pool {name!r} is {where}.", remedy=remedy)
        wanted = {"workers": 1} | {key: value for key, value in settings.items() if value is not None}
        return {("pools", name, key): value for name in names for key, value in wanted.items()}

    return edits


def pool_setting_edits(names: Sequence[str], settings: Mapping[str, Value]) -> Edits:
    """Return the edits that change settings of pools; a value of None removes the setting."""

    def edits(project: Project) -> Mapping[KeyPath, Value]:
        for name in names:
            require_pool(project, name)
        if not settings:
            raise UsageError("Nothing to set.", remedy="Name a setting, such as --limit 10 or --workers 2.")
        return {("pools", name, key): value for name in names for key, value in settings.items()}

    return edits


def require_pool(project: Project, name: str) -> None:
    """Raise UsageError where platform.toml has no such pool."""
    pools = list(project.spec.pools)
    if name not in pools:
        remedy = f"`platformctl pools create {name}` adds it."
        raise unknown_name(f"There is no pool {name!r} in {project.file.name}", name, pools, remedy=remedy)


def list_pools(workspace: Workspace) -> list[PoolRow]:
    """Return the pools of platform.toml and of Prefect."""
    wanted = workspace.wanted
    observed = observe(wanted, workspace.runtime, workspace.api())
    there = observed.prefect.pools if observed.prefect else {}
    rows = [_row(name, wanted, observed) for name in wanted.project.spec.pools]
    foreign = [pool for name, pool in there.items() if name not in wanted.project.spec.pools]
    return rows + [PoolRow(pool.name, pool.type, 0, 0, pool.limit, "", "foreign") for pool in foreign]


def _row(name: str, wanted: Wanted, observed: Observed) -> PoolRow:
    pool = wanted.project.spec.pools[name]
    found = observed.prefect.pools.get(name) if observed.prefect else None
    online = len([service for service in wanted.stack.workers(name) if is_online(service, observed)])
    limit = found.limit if found else pool.limit
    state = "missing" if observed.prefect else "unknown"
    if found:
        state = pool_state(is_paused=found.is_paused, online=online, wanted=pool.workers)
    return PoolRow(name, pool.type, pool.workers, online, limit, wanted.project.image_of(pool), state)


def runs_of_pool(workspace: Workspace, name: str) -> list[FlowRun]:
    """Return the flow runs that deleting a pool would end; raises UsageError for a pool that is nowhere, or in use."""
    project = workspace.project
    _require_unused(project, name)
    api = workspace.ready_api()
    _require_somewhere(project, api, name)
    return api.runs(_IN_FLIGHT, pool=name) if api else []


def _require_somewhere(project: Project, api: Api | None, name: str) -> None:
    if api is None or api.pool(name) is None:
        require_pool(project, name)


def delete_pool(workspace: Workspace, name: str, report: Report) -> Outcome:
    """Drain a pool's workers, cancel its scheduled runs, and delete it from platform.toml and from Prefect.

    Raises UsageError while prefect.yaml still names the pool; nothing is changed then.
    """
    _require_unused(workspace.project, name)
    _require_somewhere(workspace.project, workspace.ready_api(), name)
    outcome = change(
        workspace, report, command=f"platformctl pools delete {name}", edit=lambda project: _remove(project, name)
    )
    api = workspace.ready_api()
    if api is None:
        report(
            Progress("The server doesn't answer: Prefect still has the pool. When it answers, type the same command.")
        )
        return outcome
    for run in api.runs(("SCHEDULED", "PAUSED"), pool=name):  # those that a worker has handed back among them
        api.cancel_run(run.id, f"Its work pool {name} was deleted.")
    api.delete_pool(name)
    return outcome


def _require_unused(project: Project, name: str) -> None:
    if name not in project.spec.pools:
        return
    users = [found.name for found in load_deployments(project) if found.pool == name]
    if users:
        found = f"prefect.yaml: deployment {users[0]!r} names the work pool {name!r}."
        raise UsageError(found, remedy=f"Give {', '.join(users)} another work pool first. Nothing was changed.")


def _remove(project: Project, name: str) -> tuple[str, ...]:
    is_there = remove_table(project.root, project.env, ("pools", name))
    return (f"[pools.{name}] removed",) if is_there else ()


def set_paused(workspace: Workspace, names: Sequence[str], report: Report, *, is_paused: bool) -> tuple[str, ...]:
    """Pause pools, or let them go on, in platform.toml and at once in Prefect; returns the lines that changed."""
    for name in names:
        require_pool(workspace.project, name)
    api = require_server(workspace)
    with workspace.locked(f"platformctl pools {'pause' if is_paused else 'resume'}", report) as locked:
        edit = edit_keys_of(lambda _: {("pools", name, "paused"): is_paused for name in names})
        with edited_spec(locked, edit, report) as (lines, _):
            for name in names:
                api.set_paused(name, is_paused=is_paused)
            return lines
