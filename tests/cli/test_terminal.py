"""What only who sits at a terminal is shown."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from projects import DEPLOYMENTS, write_project

_UP = """
import sys
from pathlib import Path
from platformctl_cli.app import app
from projects import fake_workspace

app(["-C", sys.argv[1], "up"], obj=fake_workspace(Path(sys.argv[1]))[0])
"""


def test_a_new_password_is_shown_on_a_terminal(tmp_path: Path) -> None:
    write_project(tmp_path, prefect_yaml=DEPLOYMENTS)

    shown = _up_on_a_terminal(tmp_path)

    assert (tmp_path / ".platform" / "secrets" / "api_password").read_text() in shown
    assert (tmp_path / ".platform" / "secrets" / "database_password").read_text() not in shown


def _up_on_a_terminal(folder: Path) -> str:
    leader, follower = pty.openpty()
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "200"}
    with subprocess.Popen([sys.executable, "-c", _UP, str(folder)], stdout=follower, env=variables) as process:
        os.close(follower)
        shown = b"".join(iter(lambda: _read(leader), b""))
    os.close(leader)
    assert process.returncode == 0
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes to it any more
        return b""
