"""A command that holds a platform's lock until its input ends: a process for tests to kill, interrupt and wait for."""

import signal
import sys
from pathlib import Path

from platformctl.adapters.engine import Engine
from platformctl.runtimes.docker.keeper import VolumeKeeper
from platformctl.runtimes.keeper import Keeper
from platformctl.runtimes.local.keeper import FolderKeeper
from platformctl.state.lock import hold_lock


def open_keeper(where: str) -> Keeper:
    """Return the keeper of a folder, or of a platform on the engine."""
    return FolderKeeper(Path(where)) if "/" in where else VolumeKeeper(Engine(), where)


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(where: str, command: str, journal: str) -> None:
    """Hold the lock of `where`. journal: a file that gets a line at the beginning and one at the end."""
    with (
        hold_lock(open_keeper(where), command, waiting=say, warn=say),
        Path(journal).open("a", encoding="utf-8") as file,
    ):
        print("begins", command, file=file, flush=True)
        say("has the lock")
        sys.stdin.read()
        print("ends", command, file=file, flush=True)


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # tests that run in the background pass on that it is ignored
    main(*sys.argv[1:])
