"""prune, and what else becomes of old images."""

import json

import pytest

from commands import Cli
from projects import FLOW


@pytest.fixture
def changed(running: Cli) -> Cli:
    """Return a platform whose flows were changed four times."""
    for number in range(4):
        (running.folder / "flows" / "hello.py").write_text(f"# change {number}\n{FLOW}")
        assert running("up").exit_code == 0
    running.fakes.engine.calls.clear()
    return running


def _pipelines(cli: Cli) -> list[str]:
    return [image for image in cli.fakes.engine.built if image.startswith("acme/pipelines:")]


def test_up_keeps_two_old_images_and_then_nothing_is_to_do(changed: Cli) -> None:
    assert len(_pipelines(changed)) == 3
    assert changed("plan", "--check").exit_code == 0


def test_prune_shows_what_it_removes_and_asks(changed: Cli) -> None:
    *old, current = _pipelines(changed)

    refused = changed("prune")
    assert refused.exit_code == 1
    assert "560.0 MB" in refused.output
    assert "frees at least 120.0 MB" in refused.output
    assert all(image in refused.output for image in old)
    assert current not in refused.output
    assert not changed.fakes.engine.calls

    assert changed("prune", "--yes").exit_code == 0
    assert _pipelines(changed) == [current]
    assert "Nothing to remove" in changed("prune").output
    assert changed("plan", "--check").exit_code == 0


def test_a_dry_run_removes_nothing_and_can_be_read_by_programs(changed: Cli) -> None:
    result = changed("prune", "--dry-run", "-o", "json")

    found = json.loads(result.stdout)
    assert [item["reference"] for item in found] == _pipelines(changed)[:2][::-1]
    assert {item["frees"] for item in found} == {60_000_000}
    assert len(_pipelines(changed)) == 3


def test_what_prune_removed_is_all_that_it_prints_as_json(changed: Cli) -> None:
    result = changed("prune", "--yes", "-o", "json")
    assert len(json.loads(result.stdout)) == 2
    assert len(_pipelines(changed)) == 1


def test_down_keeps_images_unless_the_data_goes_too(changed: Cli) -> None:
    assert changed("down").exit_code == 0
    assert len(_pipelines(changed)) == 3

    asked = changed("down", "--volumes")
    assert "built images: the next `up` builds what it needs" in asked.output
    assert len(_pipelines(changed)) == 3

    assert changed("down", "--volumes", "--yes").exit_code == 0
    assert not changed.fakes.engine.built
