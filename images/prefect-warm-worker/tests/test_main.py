"""A worker that is started before its server waits for it."""

import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from prefect_warm_worker.__main__ import wait_for


class Starting(http.server.BaseHTTPRequestHandler):
    """A server that isn't ready at first."""

    refused = 2

    def do_GET(self) -> None:
        """Answer 503 twice, and 200 then."""
        Starting.refused -= 1
        self.send_response(503 if Starting.refused >= 0 else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the base class names it
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Return the address of a server that begins to listen only after it was asked for."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Starting, bind_and_activate=False)
    server.server_bind()  # nobody listens there yet

    def serve() -> None:
        time.sleep(0.5)
        server.server_activate()
        server.serve_forever(poll_interval=0.05)

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/ready"
    server.shutdown()
    server.server_close()


def test_it_goes_on_once_the_server_is_ready_and_says_once_that_it_waits(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wait_for(address)

    assert Starting.refused == -1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"Waiting for {address}: ")
