"""What a warm worker and the platform that runs it must both know, said once.

The platform imports this without Prefect and without any other library, so it needs nothing but the standard library.
"""

from datetime import datetime
from enum import Enum
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID, uuid5

OnStop = Literal["finish", "reschedule"]
"""What a pool wants for a flow run whose worker stops before it is through: cancelled, or scheduled again."""

VARIABLE_PREFIX = "PREFECT_WARM_WORKER_"


class Variable(Enum):
    """The environment variables that a worker reads; `settings.py` says what each one means."""

    PRELOAD = f"{VARIABLE_PREFIX}PRELOAD"
    ZYGOTES = f"{VARIABLE_PREFIX}ZYGOTES"
    PRELOAD_SECONDS = f"{VARIABLE_PREFIX}PRELOAD_SECONDS"
    ON_STOP = f"{VARIABLE_PREFIX}ON_STOP"
    GRACE = f"{VARIABLE_PREFIX}GRACE"
    RUN_MEMORY = f"{VARIABLE_PREFIX}RUN_MEMORY"
    RUN_SECONDS = f"{VARIABLE_PREFIX}RUN_SECONDS"
    FOLDER = f"{VARIABLE_PREFIX}FOLDER"


class ReportField(Enum):
    """What a worker's report says, as JSON."""

    PRELOADED = "preloaded"
    """The modules that are imported ahead of the flow runs, of those that are wanted."""
    LEFT_OUT = "left_out"
    """Those that are not, each with the reason."""
    LAST_RUNS = "last_runs"
    """How many of the last flow runs were forks, and how many new processes, by reason."""


FORKED = "fork"
"""What the report calls a flow run that was a fork."""
REPORTED_RUNS = 100
"""How many of the last flow runs the report is about."""


def report_file(worker: str) -> str:
    """Return the name of the file that a worker reports in. worker: its name, which may hold anything."""
    return f"prefect-warm-worker-{quote(worker, safe='')}.json"


WORKER_LABEL = "prefect.worker.name"
"""The label of a flow run that names the worker which took it; Prefect sets it."""
UNFINISHED = ("PENDING", "RUNNING", "CANCELLING")
"""The types of states of a flow run that a worker has taken and not ended."""
AWAITING_RETRY = "AwaitingRetry"
"""The name of the state, of the type SCHEDULED, of a flow run that is tried again later."""
IN_PROCESS = "in_process"
"""How Prefect calls it where the run's own process waits for that, so that no worker is offered it: its `retry_type`."""
TAKEN: dict[str, Any] = {"operator": "or_", "type": {"any_": [*UNFINISHED]}, "name": {"any_": [AWAITING_RETRY]}}
"""What Prefect's API finds those by that a worker has taken; `is_taken` then says which of them awaits its retry elsewhere."""

DOUBLING_RETRIES = 9
"""How often a client asks anew that doubles its pauses, as Prefect's does in a process of its own: for 17 minutes in all.

After an outage it sleeps for as long again at most.
"""
POLL_SECONDS = 10
"""Seconds between two polls. A worker hears of runs by events: its polls only find what it has missed."""
HEARTBEAT_SECONDS = 30
"""Seconds between two heartbeats of a flow run: one that is sent shows that it goes on, whatever its worker does."""
WORKER_HEARTBEAT_SECONDS = 10
"""Seconds between two heartbeats of a worker. Another one of its pool takes it for gone when it has missed two."""
CANCELLATION_SECONDS = 30
"""Seconds that flow runs get to end which a stopping worker cancels, as Prefect gives them."""
STOP_MARGIN_SECONDS = CANCELLATION_SECONDS + 15
"""Seconds that a worker needs to stop beyond its flow runs' grace; only then may it be killed.

Beside the cancellation: before it two requests for each run set its state; after it Prefect looks only every 3 s whether
a process has ended, 1 s is for a run's last output, and the zygote and the client are closed.
"""


class LostRunOutcome(Enum):
    """What becomes of a flow run whose process is gone."""

    CRASH = "crash"
    CANCEL = "cancel"
    REQUEUE = "requeue"


def is_taken(state_type: str, state_name: str, retry_type: str | None) -> bool:
    """Whether a worker has taken a flow run that hasn't ended: its process awaits a retry, too."""
    return state_type in UNFINISHED or (state_name == AWAITING_RETRY and retry_type == IN_PROCESS)


def decide_lost_run(state_type: str, on_stop: OnStop) -> LostRunOutcome:
    """Decide what becomes of a flow run whose process is gone. state_type: of its state. on_stop: what its pool wants.

    One that is SCHEDULED awaited its retry. Raises ValueError for a state in which no worker has it.
    """
    match state_type:
        case "PENDING" | "SCHEDULED":
            return LostRunOutcome.REQUEUE  # it had not begun, or not begun again
        case "RUNNING":
            return LostRunOutcome.REQUEUE if on_stop == "reschedule" else LostRunOutcome.CRASH
        case "CANCELLING":
            return LostRunOutcome.CANCEL  # somebody wanted it to end, and it has
    raise ValueError(f"no worker has a flow run that is {state_type}")


def lost_run_message(cause: str) -> str:
    """Return what the state of a flow run says whose process is gone. cause: how that came, without a full stop."""
    return f"Its process is gone: {cause}."


_SETTLED = {
    LostRunOutcome.CRASH: ("CRASHED", "Crashed"),
    LostRunOutcome.CANCEL: ("CANCELLED", "Cancelled"),
    LostRunOutcome.REQUEUE: ("SCHEDULED", "Scheduled"),
}


def settled_state(outcome: LostRunOutcome, message: str, judged: str, now: datetime) -> dict[str, Any]:
    """Return the state that settles a flow run, as Prefect's API takes it. judged: the id of the state that it was found in.

    The id of the transition follows from that one: the server refuses it when it comes again, whoever sends it.
    """
    type_, name = _SETTLED[outcome]
    details = {"transition_id": transition_id(judged)}
    if outcome is LostRunOutcome.REQUEUE:
        details["scheduled_time"] = now.isoformat()
    return {"type": type_, "name": name, "message": message, "state_details": details}


def transition_id(judged: str) -> str:
    """Return the id of the transition that settles a flow run found in a state. judged: the id of that state."""
    return str(uuid5(UUID(judged), "settled"))
