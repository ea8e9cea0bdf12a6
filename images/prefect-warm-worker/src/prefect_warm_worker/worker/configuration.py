"""The job variables of the work pool type `warm`: Prefect's own of the type `process`, and a run's limits."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

from prefect.client.schemas.objects import Flow, FlowRun, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.workers.process import ProcessVariables
from pydantic import Field, PrivateAttr, field_validator

from prefect_warm_worker._prefect.job_configuration import LeanJobConfiguration
from prefect_warm_worker._prefect.related import describe_related
from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES
from prefect_warm_worker.contract import DOUBLING_RETRIES
from prefect_warm_worker.forks.limits import Limits
from prefect_warm_worker.protocol import RELATED
from prefect_warm_worker.worker.session import in_own_session
from prefect_warm_worker.worker.settings import Settings, parse_memory


class WarmJobConfiguration(LeanJobConfiguration):
    """What a flow run's job is told."""

    memory_limit: str | None = Field(default=None)
    max_run_seconds: Annotated[float, Field(gt=0)] | None = Field(default=None)
    _related: str = PrivateAttr("[]")

    @field_validator("memory_limit")
    @classmethod
    def _check_memory(cls, value: str | None) -> str | None:
        if value is not None:
            parse_memory(value)
        return value

    def prepare_for_flow_run(  # noqa: PLR0913, PLR0917  # as the base class has them
        self,
        flow_run: FlowRun,
        deployment: DeploymentResponse | None = None,
        flow: Flow | None = None,
        work_pool: WorkPool | None = None,
        worker_name: str | None = None,
        worker_id: UUID | None = None,
    ) -> None:
        """Prepare the job as Prefect does, and keep what is known of the run's surroundings for its events."""
        super().prepare_for_flow_run(flow_run, deployment, flow, work_pool, worker_name, worker_id)
        self._related = describe_related(deployment, flow, work_pool)

    @property
    def related(self) -> dict[str, str]:
        """The variable that tells a fork what its events tell of the run's flow, deployment and pool."""
        return {RELATED: self._related}

    def limits(self, settings: Settings) -> Limits:
        """Return the limits of the run: its own, or else the worker's."""
        memory = parse_memory(self.memory_limit) if self.memory_limit else settings.run_memory
        return Limits(memory, self.max_run_seconds or settings.run_seconds)

    def for_new_process(self) -> "WarmJobConfiguration":
        """Return the job as a new process: one that outlasts outages, and doesn't get the signals of its worker's process group."""
        env = {"PREFECT_CLIENT_MAX_RETRIES": str(DOUBLING_RETRIES), **self.env}
        if HAS_WORKSPACES or self.command is None or sys.platform == "win32":
            return self.model_copy(update={"env": env})
        return self.model_copy(update={"env": env, "command": in_own_session(self.command)})

    @contextlib.contextmanager
    def directory(self, settings: Settings) -> Iterator[Path]:
        """Give the folder that the run works in; one that is its own is removed at the end of the body."""
        if self.working_dir:
            yield Path(self.working_dir)
            return
        with tempfile.TemporaryDirectory(suffix="prefect", dir=settings.folder) as path:
            yield Path(path)


class WarmVariables(ProcessVariables):
    """What a work pool and its deployments can set."""

    memory_limit: str | None = Field(
        default=None,
        title="Memory Limit",
        description='The most memory that a flow run may take, such as "512m" or "2g". One that takes more is crashed.',
    )
    max_run_seconds: float | None = Field(
        default=None,
        title="Maximum Run Time",
        description="The most seconds that a flow run may take. One that takes longer is crashed.",
    )
