"""Prefect's process worker, with public names for what it keeps private."""

import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse

from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES

if TYPE_CHECKING:
    from prefect.workers.process import ProcessWorker as _Worker
else:
    _Worker = object  # a subclass of Prefect's would be registered as a worker, in the place of the process worker


class OpenProcessWorker(_Worker):
    """What a worker inherits from beside Prefect's process worker, and before it."""

    @property
    def log(self) -> "logging.Logger | logging.LoggerAdapter[logging.Logger]":
        """Its log."""
        return self._logger

    @property
    def submitting(self) -> set[UUID]:
        """The flow runs that it is about to begin."""
        return self._submitting_flow_run_ids

    @property
    def has_pool(self) -> bool:
        """Whether it knows its pool yet."""
        return self._work_pool is not None

    @property
    def free_slots(self) -> float:
        """How many flow runs more may begin; infinity where it has no limit."""
        return math.inf if self._limiter is None else self._limiter.available_tokens

    async def find_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """Return the flow runs to begin now."""
        return await super()._get_scheduled_flow_runs()

    async def take_flow_run(self, flow_run: FlowRun) -> bool:
        """Take a flow run, unless another worker has, and return which of both."""
        return await super()._propose_pending_state(flow_run)

    async def ask_for_flow_runs(self, limit: int | None) -> httpx.Response:
        """Ask the server for the flow runs that are due; raises httpx.HTTPStatusError. limit: the most of them."""
        until = datetime.now(timezone.utc) + timedelta(seconds=int(self._prefetch_seconds))  # noqa: UP017  # Python 3.10
        wanted: dict[str, Any] = {"work_queue_names": list(self._work_queues), "scheduled_before": until.isoformat()}
        return await self.client.request(
            "POST",
            "/work_pools/{name}/get_scheduled_flow_runs",
            path_params={"name": self._work_pool_name},
            json=wanted if limit is None else {**wanted, "limit": limit},
        )

    async def take_cancellations(self) -> Callable[[UUID], None]:
        """Have its own runner listen no more for cancellations; returns what tells it of one, if the run is its."""
        if self.own_runner is None:  # since Prefect 3.9, each run that it starts listens for itself
            return lambda _: None
        observer = self.own_runner._cancelling_observer
        await observer.__aexit__(None, None, None)

        def cancel(flow_run: UUID) -> None:
            if flow_run in observer._in_flight_flow_run_ids:
                observer.on_cancelling(flow_run)

        return cancel

    @property
    def own_runner(self) -> Any:  # noqa: ANN401  # a type that newer versions have no more
        """Its runner; None since Prefect 3.9."""
        return getattr(self, "_runner", None)

    @property
    def storage_variables(self) -> dict[str, str]:
        """The variable with which its runner names its folder for flows' code, before Prefect 3.8."""
        return {} if HAS_WORKSPACES else {"PREFECT__STORAGE_BASE_PATH": str(self.own_runner._tmp_dir)}

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        return await self.find_flow_runs()

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        return await self.take_flow_run(flow_run)
