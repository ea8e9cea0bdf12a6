"""Which containers an engine calls stranded, and which volumes a platform's data. Nothing is started."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import created_platform, real_engine
from platformctl.runtimes.docker.keeper import VolumeKeeper

pytestmark = pytest.mark.engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A platform's folder."""
    for name in ("bundle", "secrets"):
        (tmp_path / "acme" / ".platform" / name).mkdir(parents=True)
    (tmp_path / "acme" / ".platform" / "secrets" / "client.toml").touch()
    return tmp_path / "acme"


@pytest.fixture
def platform(folder: Path) -> Iterator[str]:
    """The name of a platform that has a container and a volume."""
    with created_platform(folder / ".platform") as name:
        yield name


def _is_stranded(platform: str, host: str | None = None) -> bool:
    (instance,) = real_engine(host).observe(platform, []).instances
    return bool(instance.stranded)


def test_a_container_whose_folder_is_there_is_not_stranded(platform: str) -> None:
    assert not _is_stranded(platform)


def test_a_container_whose_bundle_alone_is_gone_is_not_stranded(platform: str, folder: Path) -> None:
    shutil.rmtree(folder / ".platform" / "bundle")

    assert not _is_stranded(platform)


def test_a_container_whose_folder_was_moved_is_stranded(platform: str, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))

    assert _is_stranded(platform)


def test_who_sits_at_another_machine_than_the_engine_knows_nothing_of_its_folders(platform: str, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))

    assert not _is_stranded(platform, host="laptop")


def test_what_is_kept_with_a_platform_is_none_of_its_data(platform: str) -> None:
    engine = real_engine()
    keeper = VolumeKeeper(engine, platform)
    keeper.write("drains/prod", b"")
    try:
        assert list(engine.observe(platform, []).volumes) == [f"{platform}_database"]
    finally:
        keeper.clear()
    assert not engine.state_volumes(platform)
