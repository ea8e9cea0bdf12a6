"""Which images are old: what runs and what is wanted stays, and so do the newest ones of each name."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from platformctl.model.observed import BuiltImage, Observed
from platformctl.plan.command_phases import down_phases, up_phases
from platformctl.plan.phases import plan_phases
from platformctl.plan.resources.old_image import RemoveImage, old_images
from platformctl.plan.step import Plan
from platformctl.plan.wanted import Wanted
from projects import SPEC, load_docker, write_project
from worlds import NOON, everything


def built(reference: str, hours: float, *users: str) -> BuiltImage:
    """An image that was built some hours after noon."""
    return BuiltImage(reference, NOON + timedelta(hours=hours), users)


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    return load_docker(write_project(tmp_path))


@pytest.fixture
def observed(wanted: Wanted) -> Observed:
    """What is there after many changes."""
    (image,) = wanted.stack.images
    found = (
        built(image.reference, 9, "acme-worker-prod-1"),
        built("acme/pipelines:a", 1),
        built("acme/pipelines:b", 2),
        built("acme/pipelines:c", 3),
        built("acme/pipelines:d", 0, "other-worker-dev-1"),
        built("acme/server:a", 1),
        built("sha256:untagged", 5),
    )
    return replace(everything(wanted), built=found)


def removed(plan: Plan) -> list[str]:
    return [step.change.image for step in plan.steps if isinstance(step.change, RemoveImage)]


def test_up_keeps_the_newest_two_of_each_name(wanted: Wanted, observed: Observed) -> None:
    plan = plan_phases(up_phases(wanted), observed)

    assert removed(plan) == ["sha256:untagged", "acme/pipelines:a"]
    assert str(plan.steps[-1]) == "remove   image acme/pipelines:a: replaced, and older than the 2 that stay"


def test_how_many_stay_is_the_files_choice(tmp_path: Path, observed: Observed) -> None:
    spec = SPEC + "\n[build]\nkeep_images = 0\n"
    wanted = load_docker(write_project(tmp_path, spec))

    found = removed(plan_phases(up_phases(wanted), observed))

    assert {*found} == {"acme/pipelines:a", "acme/pipelines:b", "acme/pipelines:c", "acme/server:a", "sha256:untagged"}


def test_what_runs_or_is_wanted_is_never_old(wanted: Wanted, observed: Observed) -> None:
    (image,) = wanted.stack.images
    found = (
        built(image.reference, 0),
        built("acme/pipelines:d", 0, "other-worker-dev-1"),
        built("acme/pipelines:process", 0),
        built("acme/pipelines:idle", 0),
    )
    process = replace(observed.machine.instances[0], image="acme/pipelines:process")

    assert [old.reference for old in old_images(wanted, found, [process], keep=0)] == ["acme/pipelines:idle"]


def test_down_removes_images_only_with_the_data(wanted: Wanted, observed: Observed) -> None:
    def down(*, volumes: bool) -> list[str]:
        return removed(plan_phases(down_phases(wanted.project, "down", volumes=volumes), observed))

    assert not down(volumes=False)
    assert {*down(volumes=True)} == {found.reference for found in observed.built} - {"acme/pipelines:d"}
