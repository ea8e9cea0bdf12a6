"""Which of a pool's flow runs a worker takes, while other workers are sent the same ones.

The server sends every worker the head of the same queue, gives each run to the first that asks for it, and refuses it to the
others: with eight workers on a busy server more than twice a run. So a worker that is refused looks further into the queue, and
begins anywhere in what it finds there.
"""

import random
from datetime import datetime, timezone
from itertools import takewhile

from prefect.client.schemas.responses import WorkerFlowRunResponse

_FURTHER = 2
_FURTHEST = 6
"""Flow runs: how much further a worker looks after each refusal, and at most. Every run that it gets takes one off again."""


class Contention:
    """How often a worker is refused what it was sent. One that is alone in its pool takes the runs in their order."""

    def __init__(self) -> None:
        self.spare = 0
        """How many flow runs to ask for beyond those that there is room for."""

    def note(self, *, is_taken: bool) -> None:
        """Note whether the worker got a flow run that it asked for."""
        self.spare = max(0, self.spare - 1) if is_taken else min(_FURTHEST, self.spare + _FURTHER)

    def spread(self, found: list[WorkerFlowRunResponse]) -> list[WorkerFlowRunResponse]:
        """Return flow runs in the order in which to take them: those of a lower priority, or of later, remain behind."""
        if not self.spare:
            return found
        now = datetime.now(timezone.utc)  # noqa: UP017  # Python 3.10
        alike = list(takewhile(lambda each: each.work_queue_id == found[0].work_queue_id and _is_due(each, now), found))
        random.shuffle(alike)
        return alike + found[len(alike) :]


def _is_due(response: WorkerFlowRunResponse, now: datetime) -> bool:
    scheduled = response.flow_run.next_scheduled_start_time
    return scheduled is None or scheduled <= now
