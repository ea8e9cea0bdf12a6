"""A session of its own for a run that starts as a new process, as Prefect has it from 3.8 on, and as a fork has.

Without one a signal to the process group of its worker, such as `tini -g` in Prefect's images sends at `docker stop`, ends the run.
"""

import os
import shlex
import sys


def in_own_session(command: str) -> str:
    """Return a command that leads a session and is otherwise the one that is given."""
    return f"{shlex.join([sys.executable, __file__])} {command}"


if __name__ == "__main__":
    os.setsid()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # without a shell
