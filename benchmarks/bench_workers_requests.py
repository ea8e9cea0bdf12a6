"""Count what one worker of each kind and its runs ask the server for, and four idle ones: `make bench-workers-requests`."""

import argparse
import re
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from workers_measures import SETTLING
from workers_stack import KINDS, WorkersStack, build_image

_LINE = re.compile(r'uvicorn\.\w+ - (?P<client>[\d.]+):\d+ - "(?P<method>\w+) (?P<path>[^? "]+)')
"""A line of the server's log, for a request as for a websocket."""
_NAMES = ((r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}"), (r"(?<=work_pools/)\w+", "{name}"))
_IDLE_WORKERS = 4
Counts = Counter[str]


def main() -> None:
    """Count, and print a table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left then either
    options = _options()
    counts: dict[str, list[Counter[str]]] = {}
    with WorkersStack(build_image(), {"PREFECT_SERVER_LOGGING_LEVEL": "INFO"}) as stack:
        for kind in KINDS:
            of_runs = _count_runs(stack, kind, options.runs)
            counts[kind] = [of_runs, _count_idling(stack, kind, options.idle_seconds)]
    _show(counts, options.runs, options.idle_seconds / 60)


def _count_runs(stack: WorkersStack, kind: str, runs: int) -> Counts:
    with ExitStack() as left:
        left.callback(stack.start_worker(kind).remove)
        deployment = stack.api.deploy("add.py:add", kind)
        stack.api.finish(stack.api.trigger(deployment, 1), 1)
        time.sleep(5)  # for what comes after its end
        before = _read(stack)
        stack.api.finish(stack.api.trigger(deployment, runs), runs)
        time.sleep(5)
        return _read(stack) - before


def _count_idling(stack: WorkersStack, kind: str, seconds: float) -> Counts:
    with ExitStack() as left:
        for _ in range(_IDLE_WORKERS):
            left.callback(stack.start_worker(kind).remove)
        time.sleep(SETTLING)
        before = _read(stack)
        time.sleep(seconds)
        return _read(stack) - before


def _read(stack: WorkersStack) -> Counts:
    """Count what was asked for so far, by method and path, but for what this program asked, through the network's gateway."""
    counts: Counts = Counter()
    for line in stack.server.logs().decode(errors="replace").splitlines():
        if (found := _LINE.search(line)) and not found["client"].endswith(".1"):
            path = found["path"].removeprefix("/api/")
            for pattern, name in _NAMES:
                path = re.sub(pattern, name, path)
            counts[f"{found['method']} {path}"] += 1
    return counts


def _show(counts: dict[str, list[Counter[str]]], runs: int, minutes: float) -> None:
    table = Table(box=None)
    table.add_column("request", no_wrap=True)
    for what in ("a run", "a minute, idle"):
        for kind in KINDS:
            table.add_column(f"{kind}, {what}", justify="right")
    columns = [
        ({name: count / of for name, count in counts[kind][index].items()})
        for index, of in enumerate((runs, minutes))
        for kind in KINDS
    ]
    names = sorted({name for column in columns for name in column}, key=lambda name: -columns[0].get(name, 0))
    for name in names:
        table.add_row(name, *(f"{column.get(name, 0):.1f}" for column in columns))
    table.add_row("all", *(f"{sum(column.values()):.1f}" for column in columns))
    Console(width=140).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--idle-seconds", type=float, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    main()
