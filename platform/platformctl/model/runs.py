"""Flow runs with all that is told of them, their states and their task runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from platformctl.model.observed import FlowRun

FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
"""The types of states that a run doesn't leave by itself."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A flow run. flow, deployment: names; the deployment's is FLOW/DEPLOYMENT, and empty for a run of none.

    message: what its state says. due: when it was or is to begin. started, ended: None where it hasn't. attempts: how often it
    began. parent_task: the id of the task run that stands for it in the run that started it. retries_in_process: whether
    its process waited when it was last tried again.
    """

    run: FlowRun
    flow: str
    deployment: str = ""
    message: str = ""
    due: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    attempts: int = 0
    parent_task: str | None = None
    retries_in_process: bool = False


@dataclass(frozen=True, slots=True)
class RunState:
    """A state that a flow run took."""

    time: datetime
    type: str
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task run. run: the id of the flow run that it is a part of. message: what its state says."""

    id: str
    name: str
    run: str
    state_type: str
    state_name: str
    message: str
    created: datetime
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which flow runs are asked for: those to which all that is given applies.

    states: types or names of states. names: of runs. deployment: FLOW/DEPLOYMENT. before, after: when they are due. limit: the most
    of them. is_deployed: whether runs of deployments alone. is_top: whether those alone that no other run started.
    """

    states: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    pool: str | None = None
    deployment: str | None = None
    before: datetime | None = None
    after: datetime | None = None
    limit: int = 200
    is_top: bool | None = None
    is_deployed: bool | None = None


def lasted(started: datetime | None, ended: datetime | None, now: datetime) -> timedelta | None:
    """Return how long something took or has taken until now; None where it hasn't begun."""
    return (ended or now) - started if started else None
