"""The project folder of a test: a platform.toml with a comment in it, three flows, and their deployments."""

from pathlib import Path

COMMENT = "# A comment of its owner, which no command may lose."
PACKAGE = "inflection==0.5.1"  # small, and nothing that Prefect depends on

_PLATFORM = """\
[platform]
name = "{name}"
prefect = "{prefect}"
runtime = "{runtime}"

[server]
port = {port}

[images.pipelines]
requirements = "requirements.txt"
flows = "flows"

{comment}
[pools.default]
workers = {workers}  # as many as the test wants
grace = {grace}
"""

_HELLO = '''\
"""Two tasks and a log line."""

import inflection
from prefect import flow, get_run_logger, task


@task
def count_rows(source: str) -> int:
    return 1000 * len(source)


@task
def describe(rows: int) -> str:
    return inflection.ordinalize(rows)


@flow
def hello(source: str = "warehouse") -> None:
    get_run_logger().info("the last row of %s is the %s", source, describe(count_rows(source)))
'''

_SLOW = '''\
"""A flow that takes its time, in steps."""

import time

from prefect import flow, get_run_logger


@flow
def slow(seconds: int = 600) -> None:
    for second in range(seconds):
        get_run_logger().info("second %s of %s", second, seconds)
        time.sleep(1)
'''

_FAIL = '''\
"""A flow that fails."""

from prefect import flow


@flow
def fail() -> None:
    raise ValueError("the warehouse is on fire")
'''

_FLOWS = {"hello": _HELLO, "slow": _SLOW, "fail": _FAIL}

_DEPLOYMENT = """\
  - name: {name}
    entrypoint: flows/{name}.py:{name}
    work_pool:
      name: default
"""


def write_project(folder: Path, **settings: object) -> None:
    """Write the files of a project into an empty folder. settings: what platform.toml has no fixed value for."""
    (folder / "platform.toml").write_text(_PLATFORM.format(**settings, comment=COMMENT), encoding="utf-8")
    (folder / "requirements.txt").write_text(f"{PACKAGE}\n", encoding="utf-8")
    (folder / "flows").mkdir()
    for flow, text in _FLOWS.items():
        (folder / "flows" / f"{flow}.py").write_text(text, encoding="utf-8")
    deployments = "".join(_DEPLOYMENT.format(name=flow) for flow in _FLOWS)
    (folder / "prefect.yaml").write_text(f"deployments:\n{deployments}", encoding="utf-8")


def read_files(folder: Path) -> dict[Path, bytes]:
    """Return what its owner wrote of a project, path to content; not what platformctl keeps beside it."""
    own = (path for path in folder.rglob("*") if path.is_file() and ".platform" not in path.relative_to(folder).parts)
    return {path: path.read_bytes() for path in own}


def restore_files(folder: Path, files: dict[Path, bytes]) -> None:
    """Bring a project back to what `read_files` returned."""
    for path in read_files(folder).keys() - files.keys():
        path.unlink()
    for path, content in files.items():
        path.write_bytes(content)
