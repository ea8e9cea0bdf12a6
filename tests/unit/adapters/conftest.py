"""What adapters ask, without what they adapt: a server with recorded answers."""

from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from recorded import Recorded
from recording import Recording


@pytest.fixture
def server(httpserver: HTTPServer) -> Recorded:
    """Return a server with no answer yet."""
    return Recorded(httpserver)


@pytest.fixture
def command(tmp_path: Path) -> Recording:
    """Return a command that says nothing yet."""
    folder = tmp_path / "recording"
    folder.mkdir()
    return Recording(folder)
