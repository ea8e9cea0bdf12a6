"""`lock`, as typed: what it writes, and that `up` goes by it."""

import hashlib

import pytest

from commands import Cli
from platformctl.spec.locked import read_digests

POSTGRES, PREFECT = "postgres:18", "prefecthq/prefect:3.9.1-python3.13"
MOVED = f"sha256:{'1' * 64}"


def digest(image: str) -> str:
    return f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def test_every_image_from_outside_is_locked_and_up_goes_by_it(cli: Cli) -> None:
    result = cli("lock")

    assert result.exit_code == 0, result.output
    assert f"{POSTGRES}: not locked -> {digest(POSTGRES)}" in result.output
    assert read_digests(cli.folder) == {image: digest(image) for image in (POSTGRES, PREFECT)}
    assert cli("up").exit_code == 0
    pulled = [call for call in cli.fakes.engine.calls if call.startswith("pull")]
    assert pulled == [f"pull {image}@{digest(image)}" for image in (POSTGRES, PREFECT)]
    assert cli.fakes.engine.instances["acme-database"].image == f"{POSTGRES}@{digest(POSTGRES)}"
    dockerfile = cli.folder / ".platform" / "bundle" / "images" / "pipelines" / "Dockerfile"
    assert f"FROM {PREFECT}@{digest(PREFECT)} AS system" in dockerfile.read_text()
    assert "Nothing to do" in cli("up").output


def test_what_is_locked_stays_when_its_tag_moves_until_it_is_upgraded(cli: Cli) -> None:
    assert cli("lock").exit_code == 0
    cli.fakes.engine.digests[POSTGRES] = MOVED

    assert "Nothing to do: every image is locked." in cli("lock").output
    assert read_digests(cli.folder)[POSTGRES] == digest(POSTGRES)
    assert cli("lock", "--upgrade").exit_code == 0
    assert read_digests(cli.folder) == {POSTGRES: MOVED, PREFECT: digest(PREFECT)}


def test_a_check_writes_nothing_and_exits_3_where_a_tag_has_moved_or_is_not_locked(cli: Cli) -> None:
    assert cli("lock", "--check").exit_code == 3
    assert not (cli.folder / "platform.lock").exists()
    assert cli("lock").exit_code == 0
    assert cli("lock", "--check").exit_code == 0
    cli.fakes.engine.digests[PREFECT] = MOVED

    result = cli("lock", "--check")

    assert result.exit_code == 3
    assert f"{PREFECT}: {digest(PREFECT)} -> {MOVED}" in result.output
    assert POSTGRES not in result.output
    assert read_digests(cli.folder)[PREFECT] == digest(PREFECT)


def test_an_image_that_another_overlay_locked_stays_and_one_by_digest_is_left_alone(cli: Cli) -> None:
    assert cli("lock").exit_code == 0
    file = cli.folder / "platform.toml"
    file.write_text(f'{file.read_text()}\n[database]\nimage = "postgres:17"\n[server]\nimage = "own/prefect@{MOVED}"\n')

    assert cli("lock").exit_code == 0

    expected = {image: digest(image) for image in (POSTGRES, "postgres:17", PREFECT)}
    assert read_digests(cli.folder) == expected


def test_an_image_that_no_registry_has_is_named_and_nothing_written(cli: Cli) -> None:
    cli.fakes.engine.withdrawn.add(PREFECT)

    result = cli("lock")

    assert result.exit_code == 1
    assert PREFECT in result.output
    assert not (cli.folder / "platform.lock").exists()


@pytest.mark.parametrize("words", [("up",), ("plan",), ("lock",), ("status",)])
def test_a_broken_lock_is_named_before_anything_is_done(cli: Cli, words: tuple[str, ...]) -> None:
    (cli.folder / "platform.lock").write_text("[images]\nx = 1\n")

    result = cli(*words)

    assert result.exit_code == 2
    assert "platform.lock can't be used" in result.output
    assert not cli.fakes.engine.calls
