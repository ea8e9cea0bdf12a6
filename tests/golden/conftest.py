"""Whole texts compared with committed ones; `--update-golden` writes them anew, for a person to look at."""

from pathlib import Path

import pytest

from golden_check import Golden


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Return a check that a file holds some content."""
    update = bool(request.config.getoption("--update-golden"))

    def check(file: Path, content: bytes) -> None:
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        assert file.is_file(), f"{file} isn't there: run `make golden`"
        assert file.read_bytes().decode() == content.decode(), "run `make golden` and look at the difference"

    return check
