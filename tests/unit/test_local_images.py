"""Images of the local runtime as folders: which are there, how big they are, and what goes with one."""

import os
import shutil
from pathlib import Path

import pytest

from platformctl.model.observed import ImageSize
from platformctl.runtimes.local.images import LocalImages

OLD, NEW, SERVER = "acme/pipelines:old", "acme/pipelines:new", "acme/server:1"


def _make(folder: Path, reference: str, environment: str, flow: str) -> None:
    image = folder / "images" / reference.replace(":", "/")
    (image / "app").mkdir(parents=True)
    (image / "app" / "environment").mkdir()
    (image / "app" / "environment" / "flow.py").write_text(flow)
    (folder / "environments" / environment).mkdir(parents=True, exist_ok=True)
    (image / "environment").symlink_to(os.path.relpath(folder / "environments" / environment, image))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of three images, two of which share an environment."""
    for reference, environment in ((OLD, "with-pandas"), (NEW, "bare"), (SERVER, "bare")):
        _make(tmp_path, reference, environment, "12345")
    for environment, content in (("with-pandas", "x" * 100), ("bare", "x" * 10)):
        (tmp_path / "environments" / environment / "module.py").write_text(content)
    return tmp_path


def test_images_are_those_of_the_folder(folder: Path) -> None:
    assert {image.reference for image in LocalImages(folder, "3.8.8").built()} == {OLD, NEW, SERVER}
    assert not LocalImages(folder / "no-such", "3.8.8").built()


def test_what_others_share_is_not_an_images_own(folder: Path) -> None:
    os.link(folder / "environments" / "with-pandas" / "module.py", folder / "cached")

    sizes = LocalImages(folder, "3.8.8").sizes([OLD, NEW, "acme/gone:1"])

    assert sizes == {OLD: ImageSize(105, 5), NEW: ImageSize(15, 5)}


def test_an_environment_goes_with_the_last_image_that_has_it(folder: Path) -> None:
    images = LocalImages(folder, "3.8.8")

    images.remove(NEW)
    assert {path.name for path in (folder / "environments").iterdir()} == {"with-pandas", "bare"}
    images.remove(OLD)
    images.remove(OLD)
    assert {path.name for path in (folder / "environments").iterdir()} == {"bare"}
    assert {image.reference for image in images.built()} == {SERVER}


@pytest.mark.parametrize("number", [1, 2])
def test_what_was_removed_in_part_is_not_taken_for_the_whole(
    folder: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """number: of the folder whose removal is interrupted, the image's or its environment's."""
    calls: list[object] = []
    remove = shutil.rmtree

    def interrupt(path: Path) -> None:
        calls.append(path)
        if len(calls) == number:
            raise KeyboardInterrupt
        remove(path)

    monkeypatch.setattr(shutil, "rmtree", interrupt)
    images = LocalImages(folder, "3.8.8")

    with pytest.raises(KeyboardInterrupt):
        images.remove(OLD)

    assert {image.reference for image in images.built()} == {NEW, SERVER}
    assert (folder / "environments" / "with-pandas").exists() == (number == 1)
    monkeypatch.undo()
    images.remove(SERVER)
    assert [path.name for path in (folder / "environments").iterdir()] == ["bare"]
