"""Projects on disk for tests: a folder with a platform.toml, a flow and what else a test names."""

from pathlib import Path

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.adapters.prefect.ports import Api, Client
from platformctl.commands.workspace import Workspace
from platformctl.files import pieces
from platformctl.model.spec import RuntimeName
from platformctl.plan.wanted import Wanted
from platformctl.runtimes.choose import former_name
from platformctl.runtimes.docker.bundle import describe_docker, render_compose
from platformctl.runtimes.fake import FakeRuntime
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project, load_project
from platformctl.stack.files import Files
from platformctl.state.secrets import missing_secrets

SPEC = """\
[platform]
name = "acme"

[images.pipelines]
requirements = "requirements.txt"
flows = "flows"

[pools.dev]
workers = 1   # one is enough

[pools.prod]
workers = 2
limit = 10
"""
FLOW = "from prefect import flow\n\n\n@flow\ndef hello(source: str = 'lake') -> None: ...\n"
DEPLOYMENTS = """\
deployments:
  - name: nightly
    entrypoint: flows/hello.py:hello
    work_pool: {name: prod}
"""


def write_project(folder: Path, spec: str = SPEC, **files: str) -> Path:
    """Write a project; `files` are more of them, a double underscore standing for a slash and a single one for a dot."""
    contents = {"platform.toml": spec, "requirements.txt": "humanize>=4\n", "flows/hello.py": FLOW}
    contents |= {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def content_of(files: Files, path: str) -> bytes:
    """Return the content of a file of a bundle."""
    return b"".join(pieces(files[path]))


def load_docker(folder: Path) -> Wanted:
    """Return what a project's files want of the Docker runtime."""
    stack = describe_docker(load_project(folder))
    return Wanted(stack, render_compose(stack))


class FakeConnections:
    """An engine and a Prefect in memory."""

    def __init__(self, folder: Path) -> None:
        self.prefect = FakePrefect()
        self.engine = FakeRuntime(self.prefect, folder=folder)
        self.former: FakeRuntime | None = None

    def runtime(self, project: Project, name: RuntimeName | None) -> Runtime:
        """Return the engine in memory."""
        return self.engine

    def former_runtime(self, project: Project, runtime: Runtime) -> Runtime | None:
        """Return nothing, or what a test has put there."""
        return self.former

    def former_name(self, project: Project, runtime: Runtime) -> str | None:
        """Return what the real connections do, of the engine in memory."""
        return former_name(project, runtime)

    def api(self, project: Project) -> Api | None:
        """Return the Prefect in memory, if the platform has secrets."""
        return None if missing_secrets(project.secrets) else self.prefect

    def client(self, project: Project) -> Client:
        """Return the Prefect in memory."""
        return self.prefect

    def preload(self) -> None:
        """There is nothing to load."""


def fake_workspace(folder: Path) -> tuple[Workspace, FakeConnections]:
    """Return a workspace of a folder over fakes, and the fakes."""
    connections = FakeConnections(folder)
    return Workspace(folder, None, connections), connections
