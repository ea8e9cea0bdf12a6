"""What only who sits at a terminal is shown, and asked."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from projects import DEPLOYMENTS, write_project

_TYPED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from platformctl_cli.app import app
from projects import fake_workspace

workspace, fakes = fake_workspace(Path(sys.argv[1]))
if "--volumes" in sys.argv:
    fakes.engine.volumes["acme_database"] = datetime.now(UTC)
app(["-C", *sys.argv[1:]], obj=workspace)
"""


def test_a_new_password_is_shown_on_a_terminal(tmp_path: Path) -> None:
    write_project(tmp_path, prefect_yaml=DEPLOYMENTS)

    code, shown = type_on_a_terminal(tmp_path, "up")

    assert code == 0
    assert (tmp_path / ".platform" / "secrets" / "api_password").read_text() in shown
    assert (tmp_path / ".platform" / "secrets" / "database_password").read_text() not in shown


def test_a_question_that_is_broken_off_exits_130(tmp_path: Path) -> None:
    write_project(tmp_path)

    code, _ = type_on_a_terminal(tmp_path, "down", "--volumes", keys=b"\x04")

    assert code == 130


def type_on_a_terminal(folder: Path, *words: str, keys: bytes = b"") -> tuple[int, str]:
    """Type a command, over fakes, and then some keys; return its exit code and what it printed."""
    leader, follower = pty.openpty()
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", _TYPED, str(folder), *words]
    with subprocess.Popen(command, stdin=follower, stdout=follower, env=variables) as process:
        os.close(follower)
        os.write(leader, keys)
        shown = b"".join(iter(lambda: _read(leader), b""))
    os.close(leader)
    return process.returncode, shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes to it any more
        return b""
