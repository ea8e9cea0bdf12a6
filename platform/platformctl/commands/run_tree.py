"""`runs show`: all that there is to tell of a flow run, the cause of a failure first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from platformctl.adapters.prefect.ports import Api
from platformctl.commands.run_trouble import find_trouble, read_surroundings
from platformctl.commands.watch import NamedLine, read_log
from platformctl.model.runs import RunRecord, RunState, TaskRecord, lasted

_WENT_WRONG = ("FAILED", "CRASHED")


@dataclass(frozen=True, slots=True)
class Node:
    """A flow run or a task run, and what it started. kind: flow or task. seconds: how long it took, or has taken until now."""

    kind: str
    name: str
    state: str
    state_type: str
    message: str
    seconds: float | None
    below: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A flow run: what `runs show -o json` prints, field for field.

    cause: why it failed, where it did, or why it is late or stuck; empty where all is well. deployment: FLOW/DEPLOYMENT, or the
    flow alone. log: the last lines, with those of the runs below it.
    """

    id: str
    name: str
    state: str
    state_type: str
    cause: str
    deployment: str
    address: str
    pool: str | None
    worker: str | None
    due: datetime | None
    started: datetime | None
    ended: datetime | None
    seconds: float | None
    attempts: int
    tags: tuple[str, ...]
    parameters: Mapping[str, object]
    states: tuple[RunState, ...]
    tree: Node
    log: tuple[NamedLine, ...]


def report_run(api: Api, record: RunRecord, *, lines: int = 10) -> Report:
    """Return all that there is to tell of a flow run. lines: how many of its log."""
    now, run = datetime.now(UTC), record.run
    tree = _read_tree(api, record, now)
    log = list(read_log(api, run))
    span = lasted(record.started, record.ended, now)
    return Report(
        id=run.id,
        name=run.name,
        state=run.state_name,
        state_type=run.state_type,
        cause=_cause(tree) or _trouble(api, record, now),
        deployment=record.deployment or record.flow,
        address=f"{api.url.removesuffix('/api')}/runs/flow-run/{run.id}",
        pool=run.pool,
        worker=run.worker,
        due=record.due,
        started=record.started,
        ended=record.ended,
        seconds=span.total_seconds() if span is not None else None,
        attempts=record.attempts,
        tags=record.tags,
        parameters=record.parameters,
        states=tuple(api.history.states(run.id)),
        tree=tree,
        log=tuple(log[len(log) - lines :] if lines < len(log) else log),
    )


def _trouble(api: Api, record: RunRecord, now: datetime) -> str:
    trouble = find_trouble(record, read_surroundings(api, now))
    return f"It is {trouble.kind}: {trouble.why}." if trouble else ""


def _cause(node: Node) -> str:
    """Why a run failed: what went wrong deepest in it, with where that is."""
    if node.state_type == "CANCELLED":
        return node.message
    if node.state_type not in _WENT_WRONG:
        return ""
    *path, last = _path_of_failure(node)
    where = " in ".join(f"the {each.kind} {each.name}" for each in reversed([*path[1:], last])) if path else ""
    message = last.message or node.message or f"it is {last.state}, and says nothing about why"
    return f"{where}: {message}" if where else message


def _path_of_failure(node: Node) -> Iterator[Node]:
    """The failed run, what failed first below it, and so on, as long as the run failed because of that."""
    yield node
    failed = next((each for each in node.below if each.state_type in _WENT_WRONG), None)
    if failed and _is_reason(failed, node):
        yield from _path_of_failure(failed)


def _is_reason(failed: Node, parent: Node) -> bool:
    """Whether a run failed because of one below it: its own error is that one's, or it has none of its own."""
    said = failed.message.partition("exception")[2].lstrip(": ")
    return not said or said in parent.message or " states failed" in parent.message


def _read_tree(api: Api, root: RunRecord, now: datetime) -> Node:
    """The tree of a run: a sub-flow run stands where the task run would that Prefect keeps for it."""
    runs = {root.run.id: root}
    known = 0
    while known != len(runs):
        known = len(runs)
        runs |= {each.run.id: each for each in api.history.children(tuple(runs))}
    tasks = api.history.tasks(tuple(runs))
    inside = {each.parent_task: each for each in runs.values() if each.parent_task and each is not root}
    return _flow_node(root, tasks, inside, now)


def _flow_node(record: RunRecord, tasks: Sequence[TaskRecord], inside: Mapping[str, RunRecord], now: datetime) -> Node:
    own = sorted((task for task in tasks if task.run == record.run.id), key=lambda task: task.started or task.created)
    below = [
        _flow_node(inside[each.id], tasks, inside, now) if each.id in inside else _task_node(each, now) for each in own
    ]
    run, span = record.run, lasted(record.started, record.ended, now)
    seconds = span.total_seconds() if span is not None else None
    return Node("flow", run.name, run.state_name, run.state_type, record.message, seconds, tuple(below))


def _task_node(task: TaskRecord, now: datetime) -> Node:
    span = lasted(task.started, task.ended, now)
    seconds = span.total_seconds() if span is not None else None
    return Node("task", task.name, task.state_name, task.state_type, task.message, seconds)
