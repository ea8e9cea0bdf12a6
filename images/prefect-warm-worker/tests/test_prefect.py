"""What the warm worker relies on in Prefect's private modules is there: a Prefect that moved it fails here, and by name."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import httpx
import prefect
import pytest
from prefect import context, flow_engine, flows
from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient
from prefect.client.orchestration import PrefectClient, SyncPrefectClient
from prefect.client.schemas import objects
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.steps import core
from prefect.events import RelatedResource, related
from prefect.events.clients import PrefectEventsClient
from prefect.events.worker import EventsWorker
from prefect.logging import configuration
from prefect.runner import _control_channel, _flow_run_executor, _process_manager, runner
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings
from prefect.utilities import processutils
from prefect.workers import base, process

from pools import version
from prefect_warm_worker._prefect import process_worker, suspension, workspaces
from prefect_warm_worker._prefect.related import describe_related, remember_related
from private import names_of

MOVED = f"Prefect {prefect.__version__} has moved it: see prefect_warm_worker/_prefect/"


since_3_8 = pytest.mark.skipif(version() < (3, 8), reason="Prefect 3.8 has introduced it")


@pytest.mark.parametrize(
    ("called", "arguments"),
    [
        (_flow_run_executor.FlowRunExecutorContext, ()),
        (
            _flow_run_executor.FlowRunExecutorContext.create_executor,
            ("self", "flow_run", "starter", "resolve_flow", "propose_submitting"),
        ),
        (_flow_run_executor.FlowRunExecutor.submit, ("self", "task_status")),
        (_control_channel.ControlChannel.register, ("self", "flow_run_id")),
        (_process_manager.ProcessHandle, ("_process",)),
        (processutils.sanitize_subprocess_env, ("env",)),
        (flows.load_flow_from_flow_run, ("flow_run",)),
        (context.refresh_global_settings_context, ()),
        (configuration.setup_logging, ("incremental",)),
        (process.ProcessWorker.run, ("self", "flow_run", "configuration", "task_status")),
        (base.BaseWorker.get_and_submit_flow_runs, ("self",)),
        (base.BaseWorker.get_flow_run_logger, ("self", "flow_run")),
    ],
    ids=lambda value: value.__qualname__ if callable(value) else "",
)
def test_what_is_called_takes_these_arguments(called: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    parameters = inspect.signature(called).parameters
    assert set(arguments) <= set(parameters), MOVED
    others = [parameter for name, parameter in parameters.items() if name not in arguments]
    required = [
        parameter.name for parameter in others if parameter.default is parameter.empty and parameter.kind not in _MANY
    ]
    assert required == (["client"] if called is flows.load_flow_from_flow_run else []), MOVED


_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def test_a_context_of_executors_has_a_control_channel_once_it_is_entered() -> None:
    assert "self.control_channel = " in inspect.getsource(_flow_run_executor.FlowRunExecutorContext.__aenter__), MOVED


def test_an_executor_starts_a_process_as_this_package_does() -> None:
    parameters = inspect.signature(_flow_run_executor.ProcessStarter.start).parameters
    assert list(parameters) == ["self", "flow_run", "task_status"], MOVED


def test_a_handle_asks_a_process_for_a_pid_and_a_return_code() -> None:
    class Process:
        pid = 7
        returncode = -9

    handle = _process_manager.ProcessHandle(Process())  # type: ignore[arg-type]
    assert (handle.pid, handle.returncode) == (7, -9), MOVED


@pytest.mark.parametrize(
    "name",
    [
        "PREFECT__FLOW_RUN_ID",
        "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS",
        "PREFECT__CONTROL_PORT",
        "PREFECT__CONTROL_TOKEN",
    ],
)
def test_an_engine_is_started_with_these_variables(name: str) -> None:
    from prefect.runner import _starter_engine  # noqa: PLC0415  # named where it is missed

    assert name in inspect.getsource(_starter_engine), MOVED


def test_the_end_of_a_flow_may_wait_for_its_heartbeats_or_not() -> None:
    assert "join_on_exit" in inspect.signature(flow_engine._send_heartbeats).parameters, MOVED
    assert "with _send_heartbeats(self):" in inspect.getsource(flow_engine.FlowRunEngine), MOVED


def made(model: Callable[..., Any], **fields: Any) -> Any:  # noqa: ANN401  # whichever it is
    """Make an object of Prefect's API."""
    return model(id=uuid4(), **fields)


def test_a_runs_events_tell_what_its_worker_has_read_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, pool = made(objects.Flow, name="add", tags=["a"]), made(objects.WorkPool, name="warm", type="warm")
    deployment = made(DeploymentResponse, name="daily", flow_id=flow.id, tags=["b"], branch="main")
    places = {"deployment_id": deployment.id, "work_pool_name": pool.name}
    run = made(objects.FlowRun, flow_id=flow.id, **places)
    answers = {"flow": flow, "deployment": deployment, "work_pool": pool}
    client = AsyncMock(**{f"read_{kind}.return_value": answer for kind, answer in answers.items()})

    def ask() -> list[RelatedResource]:
        with made(context.FlowRunContext.model_construct, flow_run=run):
            return asyncio.run(related.related_resources_from_run_context(client))

    monkeypatch.setattr(related, "RESOURCE_CACHE", {})
    asked, requests = ask(), len(client.mock_calls)
    assert requests == len(answers), MOVED
    related.RESOURCE_CACHE.clear()
    remember_related(describe_related(deployment, flow, pool))
    assert ask() == asked, MOVED
    assert len(client.mock_calls) == requests, MOVED


@pytest.mark.parametrize("client", [PrefectHttpxAsyncClient, PrefectHttpxSyncClient])
def test_every_request_of_a_client_goes_through_its_send(client: type[Any]) -> None:
    assert list(inspect.signature(client.send).parameters) == ["self", "request", "args", "kwargs"], MOVED
    assert "send" in vars(client), MOVED
    assert isinstance(PrefectClient("http://server/api")._client, PrefectHttpxAsyncClient), MOVED
    assert isinstance(SyncPrefectClient("http://server/api")._client, PrefectHttpxSyncClient), MOVED


@pytest.mark.parametrize("ask", ["read_flow_run", "read_deployment", "read_server_default_result_storage"])
def test_what_a_run_needs_not_ask_again_is_read_at_this_address(ask: str) -> None:
    if not hasattr(PrefectClient, ask):
        pytest.skip("Prefect 3.7 has introduced it")
    asked: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(503)

    client = SyncPrefectClient("http://server/api", httpx_settings={"transport": httpx.MockTransport(note)})
    id_, path = uuid4(), {"read_flow_run": "flow_runs/", "read_deployment": "deployments/"}.get(ask, "admin/storage")
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), pytest.raises(httpx.HTTPStatusError):
        getattr(client, ask)(*([] if path.startswith("admin") else [id_]))
    assert asked == [f"GET /api/{path}{'' if path.startswith('admin') else id_}"], MOVED


@pytest.mark.skipif(not suspension.CAN_BE_TOLD, reason="Prefect 3.7 has introduced it")
def test_an_engine_observes_suspensions_as_this_package_has_it_do() -> None:
    from prefect import _flow_run_suspension as private  # noqa: PLC0415  # older versions lack it

    parameters = inspect.signature(private.observe_flow_run_suspension).parameters
    assert list(parameters) == ["flow_run_id", "suspension_request", "polling_interval"], MOVED
    assert "observe_flow_run_suspension(" in inspect.getsource(flow_engine.BaseFlowRunEngine), MOVED
    asks = inspect.getsource(private.FlowRunSuspensionRequest)
    assert asks.count("self._suspended_state") == asks.count("self._suspended_state =") + 2, (
        MOVED
    )  # one is set at first
    assert asks.count("self.get_state()") == 2, MOVED  # whoever else asks does so by it


def test_a_pull_step_sends_its_event_as_this_package_has_it_do() -> None:
    source = inspect.getsource(core._emit_pull_step_event)
    assert "async with get_events_client(checkpoint_every=1) as events_client:" in source, MOVED
    assert "await events_client.emit(" in source, MOVED
    worker: Any = EventsWorker
    service = worker(PrefectEventsClient, ())
    assert (service._queue.unfinished_tasks, service._stopped, worker._instances) == (0, False, {}), MOVED


@since_3_8
def test_a_supervisor_does_no_more_with_its_handler_of_logs_than_flush_it() -> None:
    source = inspect.getsource(workspaces.supervisor)
    assert source.count("APILogHandler") == source.count("await APILogHandler.aflush()") + 1, MOVED


def test_settings_are_variables() -> None:
    assert isinstance(get_current_settings().to_environment_variables(exclude_unset=True), dict), MOVED


def test_jobs_have_what_a_warm_run_needs() -> None:
    fields = process.ProcessJobConfiguration.model_fields
    assert {"command", "env", "working_dir", "stream_output"} <= set(fields), MOVED


@pytest.mark.parametrize("name", sorted(names_of(process_worker.OpenProcessWorker)))
def test_a_process_worker_has_what_is_private_to_it_under_this_name(name: str) -> None:
    assert name in names_of(base.BaseWorker, process.ProcessWorker), MOVED


def test_a_process_worker_has_no_use_of_its_own_for_the_public_names() -> None:
    public = {name for name in vars(process_worker.OpenProcessWorker) if not name.startswith("_")}
    taken = set(dir(process.ProcessWorker)) | set(vars(process.ProcessWorker(work_pool_name="any")))
    assert public & taken == set(), MOVED
    assert isinstance(base.BaseWorker.work_pool, property), MOVED


def test_a_job_configuration_takes_its_environment_from_the_settings() -> None:
    assert list(inspect.signature(process.ProcessJobConfiguration._base_environment).parameters) == [], MOVED
    assert "self._base_environment()" in inspect.getsource(base.BaseJobConfiguration), MOVED


@pytest.mark.skipif(version() >= (3, 9), reason="since Prefect 3.9 a process worker has no runner")
def test_the_runner_of_a_process_worker_listens_for_cancellations() -> None:
    assert "self._runner = " in inspect.getsource(process.ProcessWorker), MOVED
    assert "self._cancelling_observer" in inspect.getsource(runner.Runner.__aenter__), MOVED
    observer: Any = vars(runner)["FlowRunCancellingObserver"](on_cancelling=lambda _: None)
    assert observer._in_flight_flow_run_ids == set(), MOVED


@pytest.mark.skipif(version() >= (3, 8), reason="since Prefect 3.8 a supervisor knows the folder")
def test_the_runner_of_a_process_worker_has_a_folder() -> None:
    assert "self._tmp_dir: Path" in inspect.getsource(runner.Runner), MOVED


def test_the_supervisor_is_there_since_it_was_introduced() -> None:
    assert (workspaces.supervisor is not None) == (version() >= (3, 8)), MOVED


@pytest.mark.skipif(version() < (3, 9), reason="Prefect 3.9 has taken the runner away")
def test_each_run_that_a_process_worker_starts_listens_for_its_own_cancellation() -> None:
    assert "FlowRunExecutorContext()" in inspect.getsource(process.ProcessWorker.run), MOVED
    assert not hasattr(process.ProcessWorker(work_pool_name="any"), "_runner"), MOVED


@since_3_8
def test_a_supervisor_launches_an_engine_as_this_package_notes_it() -> None:
    parameters = inspect.signature(workspaces.supervisor._launch_engine).parameters
    assert list(parameters) == ["command", "cwd", "environment"], MOVED
    assert inspect.iscoroutinefunction(workspaces.supervisor._launch_engine), MOVED
    assert "await _launch_engine(" in inspect.getsource(workspaces.supervisor.supervise), MOVED
    assert list(inspect.signature(workspaces.supervisor.main).parameters) == ["argv"], MOVED
    assert '"-m", "prefect.engine"]' in inspect.getsource(workspaces.supervisor.supervise), MOVED


@since_3_8
def test_a_supervisor_is_told_in_a_file() -> None:
    fields = workspaces.runtime.WorkspaceSupervisorConfig.model_fields
    assert {"flow_run_id", "workspace_root", "manifest_path"} <= set(fields), MOVED
    assert list(inspect.signature(workspaces.runtime.write_private_model).parameters) == ["path", "model"], MOVED


@since_3_8
def test_hooks_are_run_in_a_workspace() -> None:
    runner = workspaces.hook_runner.WorkspaceHookRunner
    assert set(inspect.signature(runner).parameters) == {"manifest_path", "stream_output"}, MOVED
    for name in ("run_cancellation_hooks", "run_crashed_hooks"):
        assert list(inspect.signature(getattr(runner, name)).parameters) == ["self", "flow_run", "state"], MOVED
    assert "hook_runner" in inspect.signature(_flow_run_executor.FlowRunExecutorContext.create_executor).parameters, (
        MOVED
    )


@since_3_8
def test_a_process_group_is_ended() -> None:
    scope: Any = vars(_process_manager)["create_isolated_termination_scope"]
    assert list(inspect.signature(scope).parameters) == ["pid"], MOVED
    assert "termination_scope" in inspect.signature(_process_manager.ProcessHandle).parameters, MOVED


@since_3_8
def test_a_job_knows_whether_it_names_a_command() -> None:
    assert process.ProcessJobConfiguration()._command_configured is False, MOVED
    assert "if configuration._command_configured:" in inspect.getsource(process.ProcessWorker.run), MOVED
