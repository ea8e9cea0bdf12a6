"""A Prefect server with a pool and a worker of each kind, as processes of this interpreter."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

import prefect
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, Log, State, StateType
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, PREFECT_HOME, temporary_settings
from prefect.workers.process import ProcessWorker

from prefect_warm_worker.worker.warm import WarmWorker
from scenarios import Scenario

Kind = Literal["warm", "process"]
KINDS: tuple[Kind, ...] = ("warm", "process")
FLOWS = Path(__file__).parent / "flows"
_WORKERS = {"warm": WarmWorker, "process": ProcessWorker}
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    # In memory there is one connection, and no answer 503 because the database is locked.
    "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true&check_same_thread=false",
    **{
        f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false"
        for service in (
            "SCHEDULER",
            "LATE_RUNS",
            "TRIGGERS",
            "FOREMAN",
            "PAUSE_EXPIRATIONS",
            "CANCELLATION_CLEANUP",
            "EVENT_PERSISTER",
        )
    },
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_WORKER_HEARTBEAT_SECONDS": "10",
    "PREFECT_CLIENT_MAX_RETRIES": "10",
    "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5",
}
"""What makes it quick, and what every worker of a platform has."""
T = TypeVar("T")


class Pools:
    """Deploys scenarios, runs them, and reads what became of the runs."""

    def __init__(
        self,
        folder: Path,
        client: SyncPrefectClient,
        processes: contextlib.ExitStack,
        server: "subprocess.Popen[bytes]",
    ) -> None:
        """folder: where everything is, from `open_pools`. processes: ends what is started."""
        self.folder, self.client, self._processes, self._server = folder, client, processes, server
        self._deployments: dict[tuple[str, Kind], UUID] = {}

    def start_worker(
        self, kind: Kind, *words: str, name: str = "", limit: int = 4, module: str = "prefect", **variables: str
    ) -> subprocess.Popen[bytes]:
        """Start a worker of a pool. words: options more. name: the pool's, unless given. variables: of its environment.

        module: what is run with Prefect's words.
        """
        name = name or f"the-{kind}"
        common = ["--pool", kind, "--type", kind, "--name", name, "--limit", str(limit), "--install-policy", "never"]
        options = [*common, *words]
        words = ("worker", "start", *options)
        command = _prefect(self.folder, name, str(self.client.api_url), *words, module=module, **variables)
        return self._processes.enter_context(command)

    @contextlib.contextmanager
    def without_server(self) -> Iterator[None]:
        """Have the server answer nobody within the body."""
        os.killpg(self._server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._server.pid, signal.SIGCONT)

    def deploy(self, scenario: Scenario, kind: Kind) -> None:
        """Register a scenario's deployment."""
        file, _, function = scenario.entrypoint.partition(":")
        is_image = scenario.source == "image"
        self._deployments[scenario.name, kind] = self.client.create_deployment(
            flow_id=self.client.create_flow_from_name(function),
            name=f"{scenario.name} on {kind}",
            work_pool_name=kind,
            entrypoint=f"flows/{file}:{function}" if is_image else scenario.entrypoint,
            path=str(self.folder / "image") if is_image else None,
            pull_steps=None if is_image else self._steps(scenario, kind),
            job_variables=_filled(dict(scenario.variables), folder=str(self.folder)),
            concurrency_limit=scenario.limit,
        )

    def _steps(self, scenario: Scenario, kind: Kind) -> list[dict[str, Any]]:
        steps = "prefect.deployments.steps"
        if scenario.source == "git":
            return [{f"{steps}.git_clone": {"repository": f"file://{self.folder}/repository", "branch": "main"}}]
        wait = {
            f"{steps}.run_shell_script": {"script": f"sh -c 'touch {self.told(scenario.name, kind)}/began; sleep 60'"}
        }
        enter = {f"{steps}.set_working_directory": {"directory": f"{self.folder}/image/flows"}}
        return [wait, enter] if scenario.is_held_up else [enter]

    def told(self, name: str, kind: Kind) -> Path:
        """Return the folder into which a run writes."""
        return self.folder / "told" / name.replace(" ", "-") / kind

    def begin(self, scenario: Scenario, kind: Kind, name: str = "") -> "Run":
        """Trigger a run. name: the scenario's, unless given."""
        name = name or scenario.name
        told = self.told(name, kind)
        told.mkdir(parents=True)
        parameters = {"told": str(told), **_filled(dict(scenario.parameters), kind=kind)}
        run = self.client.create_flow_run_from_deployment(
            self._deployments[scenario.name, kind], parameters=parameters, name=name
        )
        return Run(self.client, scenario, kind, run.id, told)


class Run:
    """A flow run on one kind of worker."""

    def __init__(self, client: SyncPrefectClient, scenario: Scenario, kind: Kind, id_: UUID, told: Path) -> None:
        """told: the folder into which it writes."""
        self.client, self.scenario, self.kind, self.id, self.told = client, scenario, kind, id_, told

    def read(self) -> FlowRun:
        """Return what the server knows of it."""
        return self.client.read_flow_run(self.id)

    def logs(self) -> list[Log]:
        """Return its log."""
        return self.client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[self.id])), limit=200)

    def wait_until(self, state: str) -> FlowRun:
        """Wait until it is in a state of this name; fails where it ends in another one."""
        found = wait(self.read, lambda run: run.state_name == state or _is_final(run))
        assert found.state_name == state, f"{self.scenario.name} on {self.kind}: {found.state!r}"
        return found

    def wait_for_file(self, name: str) -> Path:
        """Wait until the flow has written a file."""
        return wait(lambda: self.told / name, Path.exists)

    def cancel(self) -> None:
        """Ask for it to be cancelled."""
        self.client.set_flow_run_state(self.id, State(type=StateType.CANCELLING))

    def read_result(self) -> Any:  # noqa: ANN401  # whatever the flow returns
        """Return the flow's result, from where it was persisted."""
        state = self.read().state
        assert state is not None
        return state.result()


Runs = dict[str, tuple[Run, Run]]
"""By the name of the scenario: its runs on a warm worker and on a process worker."""


def _is_final(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def wait(read: Callable[[], T], is_wanted: Callable[[T], bool], *, seconds: float = 300, fails: bool = True) -> T:
    """Read until what is read is wanted, and return that; where it never is, fail, or return what was read last."""
    deadline = time.monotonic() + seconds
    while not is_wanted(found := read()):
        if time.monotonic() > deadline and not fails:
            break
        assert time.monotonic() < deadline, f"not within {seconds} s; seen last: {found!r}"
        time.sleep(0.25)
    return found


def _filled(value: Any, **names: str) -> Any:  # noqa: ANN401  # whatever JSON has
    match value:
        case dict():
            return {key: _filled(inner, **names) for key, inner in value.items()}
        case str():
            return value.format(**names)
    return value


def version() -> tuple[int, int]:
    """Return the minor version of Prefect."""
    major, minor, *_ = prefect.__version__.split(".")
    return int(major), int(minor)


@contextlib.contextmanager
def open_pools(folder: Path) -> Iterator[Pools]:
    """Start a server with a pool of each kind in a folder; end it, and the workers, at the end of the body."""
    _make_flows(folder)
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_prefect(folder, "server", api, "server", "start", "--port", str(port)))
        stack.enter_context(
            temporary_settings({PREFECT_API_URL: api, PREFECT_HOME: folder / "home", PREFECT_CLIENT_MAX_RETRIES: 10})
        )
        client = stack.enter_context(get_client(sync_client=True))
        wait(client.api_healthcheck, lambda error: error is None, seconds=120)
        client.create_concurrency_limit("narrow", 1)
        for kind in KINDS:
            _make_pool(client, kind)
        yield Pools(folder, client, stack, server)


def _make_pool(client: SyncPrefectClient, kind: Kind) -> None:
    template = _WORKERS[kind].get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name=kind, type=kind, base_job_template=template))
    client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=kind, limit=1))


@contextlib.contextmanager
def _prefect(
    folder: Path, name: str, api: str, *words: str, module: str = "prefect", **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of Prefect's commands in the background; what it writes goes to a file of this name."""
    outside = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT")}
    environment = {
        **outside,
        **_SETTINGS,
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": api,
        "DROPPED": "1",
    } | variables
    with (folder / f"{name}.log").open("ab") as log:
        command = [sys.executable, "-m", module, *words]
        process = subprocess.Popen(
            command,
            cwd=folder / "image",
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _make_flows(folder: Path) -> None:
    """Make what flows come from: a folder with them, a Git repository, and the folders that jobs name."""
    for name in ("image", "home", "work", "temporary"):
        (folder / name).mkdir()
    for target in (folder / "image" / "flows", folder / "repository"):
        shutil.copytree(FLOWS, target, ignore=shutil.ignore_patterns("__pycache__"))
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        [*who, "commit", "--quiet", "--message=Flows"],
    ):
        subprocess.run(["git", *words], cwd=folder / "repository", check=True)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
