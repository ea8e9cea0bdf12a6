"""A worker that is started before its server waits for it."""

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from prefect_warm_worker.__main__ import is_process_worker, wait_for


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


@pytest.mark.parametrize(
    ("words", "is_process"),
    [
        ("worker start --pool a --type process", True),
        ("worker start --type=process --pool a", True),
        ("worker start --pool process --type warm", False),
        ("worker start --pool process", False),
    ],
)
def test_a_process_worker_is_told_by_its_type(words: str, *, is_process: bool) -> None:
    assert is_process_worker(["prefect", *words.split()]) is is_process


def test_a_process_worker_takes_the_place_of_prefects_own_only_where_it_is_asked_for() -> None:
    code = (
        "from prefect.workers.base import BaseWorker; import prefect_warm_worker.worker.{}; "
        "print(BaseWorker.get_worker_class_from_type('process').__name__)"
    )
    names = [
        subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, text=True, check=True).stdout
        for name in ("warm", "process")
    ]
    assert names == ["ProcessWorker\n", "AttentiveProcessWorker\n"]
