"""What the runner of Prefect's process worker is asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES

if TYPE_CHECKING:
    from prefect.workers.process import ProcessWorker


async def take_cancellations(worker: "ProcessWorker") -> Callable[[UUID], None]:
    """Have a process worker's own runner listen no more for cancellations; returns what tells it of one, if the run is its."""
    observer: Any = worker._runner._cancelling_observer
    await observer.__aexit__(None, None, None)

    def cancel(flow_run: UUID) -> None:
        if flow_run in observer._in_flight_flow_run_ids:
            observer.on_cancelling(flow_run)

    return cancel


def storage_variables(worker: "ProcessWorker") -> dict[str, str]:
    """Return the variable with which the runner of a process worker names its folder for flows' code, before Prefect 3.8."""
    return {} if HAS_WORKSPACES else {"PREFECT__STORAGE_BASE_PATH": str(worker._runner._tmp_dir)}
