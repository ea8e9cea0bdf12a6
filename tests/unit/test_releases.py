"""The table of Prefect's minors, and what must agree with it."""

import itertools
import tomllib
from pathlib import Path

import pytest

from platformctl.model.releases import MINORS, NEWEST, OLDEST_PREFECT, OLDEST_WARM, minor_of, parse_version

ROOT = Path(__file__).resolve().parents[2]
AFTER_NEWEST = ".".join(str(part) for part in (NEWEST.numbers[0], NEWEST.numbers[1] + 1))


@pytest.mark.parametrize(
    ("file", "oldest"), [("pyproject.toml", OLDEST_PREFECT), ("images/prefect-warm-worker/pyproject.toml", OLDEST_WARM)]
)
def test_both_packages_may_be_installed_beside_any_supported_prefect(file: str, oldest: tuple[int, int, int]) -> None:
    found = tomllib.loads((ROOT / file).read_text(encoding="utf-8"))["project"]["dependencies"]

    assert f"prefect>={'.'.join(map(str, oldest))},<{AFTER_NEWEST}" in found


def test_minors_follow_each_other_and_each_has_its_dependencies_held() -> None:
    assert all(one.numbers < other.numbers for one, other in itertools.pairwise(MINORS))
    held = {path.stem for path in (ROOT / "images" / "constraints").glob("*.txt")}
    assert held == {minor.name for minor in MINORS}


@pytest.mark.parametrize("text", ["3.9", "3.9.1.1", "v3.9.1", "3.9.1rc1", "3.09.1", "", "3.9.1\n", "3.9.\u0661"])
def test_only_a_full_version_is_one(text: str) -> None:
    assert parse_version(text) is None


def test_a_version_is_of_its_minor() -> None:
    assert minor_of("3.9.4") is NEWEST
    assert minor_of("3.90.1") is None
    assert minor_of("3.10.0") is None
