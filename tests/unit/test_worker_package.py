"""The warm worker's package is what its build back end would make of it."""

import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from platformctl.spec.load import load_project
from platformctl.stack.images.context import load_images
from platformctl.stack.images.worker_package import installed_files
from projects import SPEC, write_project

PROCESS = 'type = "process"\nworkers'
PACKAGE = Path(__file__).parents[2] / "images" / "prefect-warm-worker"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the build back end makes, path to content."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, check=True, cwd=PACKAGE)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as content:
        return {name: content.read(name) for name in content.namelist()}


def test_its_modules_are_the_wheels(wheel: dict[str, bytes]) -> None:
    modules = {path: content for path, content in wheel.items() if ".dist-info/" not in path}

    assert {path: installed_files()[path] for path in modules} == modules
    assert {path for path in installed_files() if ".dist-info/" not in path} == modules.keys()


def test_its_metadata_says_what_the_wheels_does(wheel: dict[str, bytes], tmp_path: Path) -> None:
    for folder, files in (("own", installed_files()), ("wheel", wheel)):
        for path, content in files.items():
            (tmp_path / folder / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / path).write_bytes(content)
    (own,), (built,) = distributions(path=[str(tmp_path / "own")]), distributions(path=[str(tmp_path / "wheel")])

    assert (own.name, own.version) == (built.name, built.version)
    assert [Requirement(word) for word in own.requires or ()] == [Requirement(word) for word in built.requires or ()]
    assert own.metadata["Requires-Python"] == built.metadata["Requires-Python"]
    assert set(own.entry_points) == set(built.entry_points)
    assert {str(file) for file in own.files or ()} == set(installed_files())


def test_an_image_has_it_where_a_pool_has_warm_workers_of_it(tmp_path: Path) -> None:
    (process,) = load_images(load_project(write_project(tmp_path / "process", SPEC.replace("workers", PROCESS))))
    one_is = SPEC.replace("workers", PROCESS, 1)
    (found,) = load_images(load_project(write_project(tmp_path / "warm", one_is)))

    assert not any(path.startswith("worker/") for path in process.files)
    assert "worker/prefect_warm_worker/worker/warm.py" in found.files
    assert process.tag != found.tag
    assert "FROM worker AS flows" in found.files["Dockerfile"].decode()
