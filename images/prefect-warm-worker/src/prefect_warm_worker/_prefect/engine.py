"""What a zygote and its forks change and call in Prefect's engine."""

import functools
import importlib
from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import load_flow_from_flow_run
from prefect.runner._hook_runner import HookRunner


def let_heartbeats_be() -> None:
    """Have a flow's end not wait for the thread of its heartbeats, as an asynchronous flow's doesn't in Prefect either.

    It sleeps in whole seconds, and ends by itself or with its process.
    """
    engine: Any = importlib.import_module("prefect.flow_engine")
    engine._send_heartbeats = functools.partial(engine._send_heartbeats, join_on_exit=False)


async def run_hooks(flow_run: FlowRun, state: State) -> None:
    """Run the hooks of a flow run's flow for a state, here: Cancelling or Crashed."""
    hooks = HookRunner(resolve_flow=_resolve_flow)
    await hooks.run_cancellation_hooks(flow_run, state)
    await hooks.run_crashed_hooks(flow_run, state)


def _resolve_flow(flow_run: FlowRun) -> Any:  # noqa: ANN401  # an awaitable flow; older versions call it a flow
    return load_flow_from_flow_run(flow_run)
