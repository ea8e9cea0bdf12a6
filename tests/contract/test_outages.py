"""What Prefect's server answers while it can't reach its database."""

import asyncio
import errno
import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest
from prefect.server.api import server

MODULE = Path(__file__).parents[2] / "images" / "server" / "platformctl_outages.py"


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "is_client_retryable_exception", server.is_client_retryable_exception)
    spec = importlib.util.spec_from_file_location(MODULE.stem, MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ask_clients_to_wait()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.2', 5432)"), 503),
        (OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.2', 5432)"), 503),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), 503),
        (TimeoutError(), 503),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/ui/index.html"), 500),
        (ValueError("a fault of the server"), 500),
    ],
)
def test_a_database_that_cannot_be_reached_is_a_reason_to_ask_again(error: Exception, status: int) -> None:
    request: Any = None
    answer = asyncio.run(server.custom_internal_exception_handler(request, error))
    assert answer.status_code == status
