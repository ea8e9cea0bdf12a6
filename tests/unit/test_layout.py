"""platform/ and cli/ are source roots: a package there would shadow the standard library's `platform`."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("root", ["platform", "cli"])
def test_a_source_root_is_not_a_package(root: str) -> None:
    assert not (ROOT / root / "__init__.py").exists()
    assert any((ROOT / root).glob("*/__init__.py"))
