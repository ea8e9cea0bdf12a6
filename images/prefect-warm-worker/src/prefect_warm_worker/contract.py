"""What a warm worker and the platform that runs it must both know, said once.

The platform imports this without Prefect and without any other library, so it needs nothing but the standard library.
"""

from enum import Enum
from typing import Literal

OnStop = Literal["finish", "reschedule"]
"""What a pool wants for a flow run whose worker stops before it is through: cancelled, or scheduled again."""

VARIABLE_PREFIX = "PREFECT_WARM_WORKER_"


class Variable(Enum):
    """The environment variables that a worker reads; `settings.py` says what each one means."""

    PRELOAD = f"{VARIABLE_PREFIX}PRELOAD"
    ON_STOP = f"{VARIABLE_PREFIX}ON_STOP"
    GRACE = f"{VARIABLE_PREFIX}GRACE"
    RUN_MEMORY = f"{VARIABLE_PREFIX}RUN_MEMORY"
    RUN_SECONDS = f"{VARIABLE_PREFIX}RUN_SECONDS"
    FOLDER = f"{VARIABLE_PREFIX}FOLDER"


WORKER_LABEL = "prefect.worker.name"
"""The label of a flow run that names the worker which took it; Prefect sets it."""
UNFINISHED = ("PENDING", "RUNNING", "CANCELLING")
"""The types of states of a flow run that a worker has taken and not ended."""

DOUBLING_RETRIES = 9
"""How often a client asks anew that doubles its pauses, as Prefect's does in a process of its own: for 17 minutes in all.

After an outage it sleeps for as long again at most.
"""
POLL_SECONDS = 10
"""Seconds between two polls. A worker hears of runs by events: its polls only find what it has missed."""
HEARTBEAT_SECONDS = 30
"""Seconds between two heartbeats of a flow run. Whoever judges runs by them waits for several."""
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


def decide_lost_run(state_type: str, on_stop: OnStop) -> LostRunOutcome:
    """Decide what becomes of a flow run whose process is gone. state_type: of its state. on_stop: what its pool wants.

    Raises ValueError for a state in which no worker has it.
    """
    match state_type:
        case "PENDING":
            return LostRunOutcome.REQUEUE  # it had not begun
        case "RUNNING":
            return LostRunOutcome.REQUEUE if on_stop == "reschedule" else LostRunOutcome.CRASH
        case "CANCELLING":
            return LostRunOutcome.CANCEL  # somebody wanted it to end, and it has
    raise ValueError(f"no worker has a flow run that is {state_type}")


def lost_run_message(cause: str) -> str:
    """Return what the state of a flow run says whose process is gone. cause: how that came, without a full stop."""
    return f"Its process is gone: {cause}."
