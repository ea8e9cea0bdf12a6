"""Prefect's command line, once its server answers. What it needs is loaded meanwhile.

Usage: python -m prefect_warm_worker worker start --pool NAME --type warm ...

With `--type process` it starts Prefect's own kind of worker, which sees to lost runs as a warm one does.
A worker that starts before its server would end with an error, and whoever restarts it waits longer each time. After a restart of
the machine all services start at once.
"""

import importlib
import sys
import time
import urllib.request
from collections.abc import Sequence
from itertools import pairwise

from prefect.cli import app
from prefect.settings import PREFECT_API_URL

import prefect_warm_worker.worker.warm  # noqa: F401  # as `prefect` does itself, once it looks for the type

_PAUSE = 0.2
"""Seconds between two questions."""


def main() -> None:
    """Wait, and become `prefect`."""
    if url := PREFECT_API_URL.value():
        wait_for(f"{url.rstrip('/')}/ready")
    if is_process_worker(sys.argv):
        importlib.import_module("prefect_warm_worker.worker.process")
    sys.argv[0] = "prefect"
    app()


def is_process_worker(words: Sequence[str]) -> bool:
    """Whether a command line starts a worker that starts processes."""
    return ("--type", "process") in pairwise(words) or "--type=process" in words


def wait_for(address: str) -> None:
    """Wait until an address answers with 200. The first answer that is another one is told."""
    is_told = False
    while (refusal := _ask(address)) is not None:
        if not is_told:
            print(f"Waiting for {address}: {refusal}", file=sys.stderr, flush=True)
            is_told = True
        time.sleep(_PAUSE)


def _ask(address: str) -> str | None:
    """Return why an address doesn't answer as it should; None where it does."""
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310  # the worker's own server
            return None
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    main()
