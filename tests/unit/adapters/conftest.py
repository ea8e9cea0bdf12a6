"""What adapters ask, without what they adapt: a server with recorded answers."""

import pytest
from pytest_httpserver import HTTPServer

from recorded import Recorded


@pytest.fixture
def server(httpserver: HTTPServer) -> Recorded:
    """Return a server with no answer yet."""
    return Recorded(httpserver)
