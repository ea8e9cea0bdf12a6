"""The warm worker's package is one wheel, the one that its build back end would make, and the same one anywhere."""

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from platformctl.assets import asset_path
from platformctl.spec.load import load_project
from platformctl.stack.images.context import load_images
from platformctl.stack.images.worker_package import worker_wheel
from projects import SPEC, write_project

PROCESS = 'type = "process"\nworkers'
PACKAGE = Path(__file__).parents[2] / "images" / "prefect-warm-worker"
DIGEST = (
    "import hashlib, os; os.umask(0o077)\n"
    "from platformctl.stack.images.worker_package import worker_wheel\n"
    "print(hashlib.sha256(worker_wheel().content).hexdigest())"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """What the build back end makes."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, check=True, cwd=PACKAGE)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


@pytest.fixture
def own() -> zipfile.ZipFile:
    """What goes into an image."""
    return zipfile.ZipFile(io.BytesIO(worker_wheel().content))


def modules(wheel: zipfile.ZipFile) -> dict[str, bytes]:
    return {name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name}


def unpacked(wheel: zipfile.ZipFile, folder: Path) -> Distribution:
    wheel.extractall(folder)
    (found,) = distributions(path=[str(folder)])
    return found


def test_its_name_and_its_modules_are_the_built_wheels(own: zipfile.ZipFile, built: zipfile.ZipFile) -> None:
    assert worker_wheel().name == Path(str(built.filename)).name
    assert modules(own) == modules(built)


def test_its_metadata_says_what_the_built_wheels_does(
    own: zipfile.ZipFile, built: zipfile.ZipFile, tmp_path: Path
) -> None:
    ours, theirs = unpacked(own, tmp_path / "own"), unpacked(built, tmp_path / "built")

    assert (ours.name, ours.version) == (theirs.name, theirs.version)
    assert [Requirement(word) for word in ours.requires or ()] == [Requirement(word) for word in theirs.requires or ()]
    assert ours.metadata["Requires-Python"] == theirs.metadata["Requires-Python"]
    assert set(ours.entry_points) == set(theirs.entry_points)
    assert {str(file) for file in ours.files or ()} == set(own.namelist())


def test_its_bytes_depend_on_nothing_of_who_makes_it() -> None:
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": "1700000000"}
    made = subprocess.run([sys.executable, "-c", DIGEST], check=True, capture_output=True, text=True, env=environment)

    assert made.stdout.strip() == hashlib.sha256(worker_wheel().content).hexdigest()


def test_its_entries_are_stored_in_order_and_tell_neither_time_nor_umask(own: zipfile.ZipFile) -> None:
    entries = own.infolist()

    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {(entry.create_system, entry.external_attr >> 16) for entry in entries} == {(3, 0o100644)}
    assert list(modules(own)) == sorted(modules(own))
    assert own.namelist()[-1].endswith(".dist-info/RECORD")


def test_it_is_installed_without_an_installer_and_found_by_its_entry_point(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    wheel = tmp_path / worker_wheel().name
    wheel.write_bytes(worker_wheel().content)
    script = asset_path("images") / "worker" / "install_worker.py"
    subprocess.run([tmp_path / "bin" / "python", script, wheel], check=True)
    found = (
        "from importlib.metadata import entry_points, version; import prefect_warm_worker as package\n"
        "(point,) = entry_points(group='prefect.collections')\n"
        "print(point.value, version('prefect-warm-worker'), package.__cached__)"
    )
    shown = subprocess.run([tmp_path / "bin" / "python", "-B", "-c", found], check=True, capture_output=True, text=True)

    module, version, compiled = shown.stdout.split()
    assert (module, version) == ("prefect_warm_worker.worker.warm", wheel.name.split("-")[1])
    assert Path(compiled).is_file()


def test_an_image_has_it_whatever_its_workers_are(tmp_path: Path) -> None:
    (process,) = load_images(load_project(write_project(tmp_path / "process", SPEC.replace("workers", PROCESS))))
    (found,) = load_images(load_project(write_project(tmp_path / "warm", SPEC.replace("workers", PROCESS, 1))))

    assert [path for path in found.files if path.startswith("worker/")] == [f"worker/{worker_wheel().name}"]
    assert process.tag == found.tag
    assert "FROM worker AS flows" in found.files["Dockerfile"].decode()
