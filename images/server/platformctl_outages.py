"""Has Prefect's server answer 503 while it can't reach its database: its clients ask again then.

It does so for what the database says. That there is none is an error of the system, to which it answers 500: runs fail at once.
"""

import sys
from typing import Any

_SERVER = "prefect.server.api.server"


def ask_clients_to_wait() -> None:
    """Have the server of this process, if it is one, answer so."""
    server: Any = sys.modules.get(_SERVER)
    if server is None:
        return
    decide = server.is_client_retryable_exception

    def is_passing(error: Exception) -> bool:
        is_of_network = isinstance(error, OSError) and error.filename is None
        return is_of_network or decide(error)

    server.is_client_retryable_exception = is_passing
