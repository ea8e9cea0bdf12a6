"""That somebody else suspended a run: its worker hears of it, and says so in a file, which the run looks for.

From Prefect 3.7 on each run listens for itself: with a thread, a client, a connection for events and a request, and a wait of
up to 0.2 s at its end. This one looks whenever Prefect's engine asks whether it was suspended, and listens if its worker is gone.
"""

import contextlib
import importlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import State

try:
    _suspension: Any = importlib.import_module("prefect._flow_run_suspension")
except ModuleNotFoundError:  # before Prefect 3.7 nobody listens
    _suspension = None
CAN_BE_TOLD = _suspension is not None
"""Whether runs of this Prefect heed that they were suspended by somebody else."""
_file: Path | None = None
_watch: "_Watch | None" = None


def write_suspended(file: Path, state: State) -> None:
    """Say in a file that a run is in a state, here: Suspended. The file is there at once with all of it."""
    draft = file.with_suffix(".draft")
    draft.write_text(state.model_dump_json(), encoding="utf-8")
    draft.replace(file)


def hear_from(file: str) -> None:
    """Have this process's run look for a file that says that it was suspended."""
    global _file  # noqa: PLW0603  # it is the process's
    _file = Path(file)


def let_worker_listen() -> None:
    """Have Prefect's engine in the forks of this process not listen where their worker does."""
    if _suspension is None:
        return
    engine: Any = importlib.import_module("prefect.flow_engine")
    engine.observe_flow_run_suspension = _observe
    _suspension.FlowRunSuspensionRequest.get_state = _get_state


@contextlib.contextmanager
def _observe(flow_run_id: UUID, suspension_request: Any, *args: Any, **kwargs: Any) -> Iterator[None]:  # noqa: ANN401  # Prefect's
    """Stand in for Prefect's `observe_flow_run_suspension`."""
    global _watch  # noqa: PLW0603  # as above
    if _file is None or str(flow_run_id) != os.environ.get("PREFECT__FLOW_RUN_ID"):
        with _suspension.observe_flow_run_suspension(flow_run_id, suspension_request, *args, **kwargs):
            yield
        return
    _watch = watch = _Watch(_file, flow_run_id, suspension_request)
    try:
        yield
    finally:
        _watch = None
        watch.over.set()


class _Watch:
    """A run that looks whether it was suspended."""

    def __init__(self, file: Path, flow_run: UUID, request: Any) -> None:  # noqa: ANN401  # Prefect's
        self._file, self._flow_run, self.request = file, flow_run, request
        self.over = threading.Event()
        self._process, self._parent = os.getpid(), os.getppid()

    def look(self) -> State | None:
        """Return the state that its worker wrote, if it did. Without a worker it listens from here on."""
        if self._file.exists():
            self.request.mark_requested(State.model_validate_json(self._file.read_text(encoding="utf-8")))
        elif os.getppid() != self._parent and os.getpid() == self._process:
            self._parent = os.getppid()
            threading.Thread(target=self._listen, daemon=True).start()
        state: State | None = _get_known_state(self.request)
        return state

    def _listen(self) -> None:
        with _suspension.observe_flow_run_suspension(self._flow_run, self.request):
            self.over.wait()


_get_known_state: Any = _suspension and _suspension.FlowRunSuspensionRequest.get_state


def _get_state(request: Any) -> State | None:  # noqa: ANN401  # Prefect's
    """Stand in for Prefect's `FlowRunSuspensionRequest.get_state`."""
    state: State | None = _get_known_state(request)
    watch = _watch
    return state if state is not None or watch is None or watch.request is not request else watch.look()
