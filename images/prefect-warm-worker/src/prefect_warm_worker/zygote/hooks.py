"""Runs a flow's hooks for a state that its own process can't have run them for. A fork does so instead of a run's engine.

A hook is the user's code: in the worker itself it could change or end it.
"""

import os
from uuid import UUID

import anyio
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from prefect_warm_worker._prefect.engine import run_hooks
from prefect_warm_worker.protocol import HOOKS_OF


async def main() -> None:
    """Run the hooks of the flow run that the environment names."""
    state = State.model_validate_json(os.environ[HOOKS_OF])
    async with get_client() as client:
        flow_run = await client.read_flow_run(UUID(os.environ["PREFECT__FLOW_RUN_ID"]))
    await run_hooks(flow_run, state)


if __name__ == "__main__":
    anyio.run(main)
