"""Worker images: what rebuilds them, what doesn't, and what a build that fails leaves alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from e2e.project import PACKAGE
from e2e.stack import Stack
from e2e.waiting import step, wait_for

WORKERS = {"worker-default-1"}
VERSIONS = "from importlib.metadata import version as v; print(v('inflection'), v('humanize'))"


def _changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {service for service in before.keys() | after.keys() if before.get(service) != after.get(service)}


def _dependencies(stack: Stack) -> dict[str, list[str]]:
    """Return image to what it has of its dependencies."""
    return {tag: stack.machine.dependencies(tag) for tag in stack.machine.images()}


def test_a_changed_dependency_replaces_the_workers_only(changing: Stack) -> None:
    before, images = changing.starts(), changing.machine.images()
    changing.edit(PACKAGE, "inflection==0.5.0", "requirements.txt")
    changing.must("up")
    assert _changed(before, changing.starts()) == WORKERS
    assert len({*changing.machine.images()} - {*images}) == 1
    version = "from importlib.metadata import version; print(version('inflection'))"
    assert changing.machine.execute("worker-default-1", "python", "-c", version) == "0.5.0"


def test_a_changed_flow_is_what_runs_next(changing: Stack) -> None:
    before = changing.starts()
    changing.edit("the last row of", "the very last row of", "flows/hello.py")
    changing.must("up")
    assert _changed(before, changing.starts()) == WORKERS
    assert "the very last row of warehouse" in changing.must("run", "hello/hello", "--watch")


def test_a_changed_flow_installs_no_dependency_anew(changing: Stack) -> None:
    before = _dependencies(changing)
    (changing.folder / "flows" / "more.py").write_text("SOURCES = ('lake', 'warehouse')\n", encoding="utf-8")
    changing.must("build-image")
    after = _dependencies(changing)
    made = (after.keys() - before.keys()).pop()
    step("All but the flows is what another image has.")
    assert after[made] in before.values()


def test_build_image_of_what_is_there_starts_no_build(running: Stack) -> None:
    before = running.machine.images()
    shown = running.must("build-image")
    assert "unchanged: nothing to build" in shown
    assert "load build definition" not in shown
    assert running.machine.images() == before


@pytest.mark.parametrize(
    ("package", "words"),
    [("inflection==99.0", "inflection==99.0"), ("pydantic==1.10.2", "pydantic==1.10.2")],
    ids=["no such version", "conflicts with Prefect's own"],
)
def test_a_dependency_that_cannot_be_resolved_is_refused_in_the_resolvers_words(
    changing: Stack, package: str, words: str
) -> None:
    before = changing.starts()
    changing.edit(PACKAGE, package, "requirements.txt")
    result = changing.ctl("up")
    assert result.code == 1
    assert "No solution found when resolving dependencies" in result.err
    assert words in result.err
    assert changing.starts() == before


def test_a_flow_that_cannot_be_imported_is_refused_in_the_interpreters_words(changing: Stack) -> None:
    before = changing.starts()
    changing.edit("import inflection", "import inflexion", "flows/hello.py")
    result = changing.ctl("up")
    assert result.code == 1
    assert "flows/hello.py" in result.err
    assert "No module named 'inflexion'" in result.err
    assert changing.starts() == before


def test_what_runs_goes_on_after_a_build_that_failed(changing: Stack) -> None:
    changing.edit(PACKAGE, "inflection==99.0", "requirements.txt")
    assert changing.ctl("up").code == 1
    step("A worker that crashes meanwhile comes back as it was.")
    started = changing.starts("worker")
    changing.machine.crash("worker-default-1")
    wait_for("it has started anew", lambda: changing.starts("worker"), lambda starts: starts != started)
    wait_for("it is online", lambda: changing.ctl("status", "--check").code == 0)
    step("The files are as they were: nothing is to be done.")
    changing.edit("inflection==99.0", PACKAGE, "requirements.txt")
    before = changing.starts()
    changing.must("up")
    assert changing.starts() == before


def test_a_lock_file_installs_what_it_says_and_moves_nothing_of_prefect(changing: Stack) -> None:
    step("A project locks inflection, and a humanize that is older than the one that Prefect was released with.")
    project = '[project]\nname = "flows"\nversion = "1"\nrequires-python = ">=3.11"\n'
    dependencies = 'dependencies = ["inflection==0.5.0", "humanize==4.9.0"]\n'
    (changing.folder / "pyproject.toml").write_text(project + dependencies, encoding="utf-8")
    subprocess.run([Path(sys.executable).with_name("uv"), "lock", "--quiet"], check=True, cwd=changing.folder)
    held = changing.machine.execute("worker-default-1", "python", "-c", VERSIONS).split()[1]
    changing.edit('"requirements.txt"', '"uv.lock"')
    changing.must("up")
    assert changing.machine.execute("worker-default-1", "python", "-c", VERSIONS).split() == ["0.5.0", held]
