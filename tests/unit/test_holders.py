"""Whether a process that holds a lock still runs."""

import os
import subprocess
import sys
from dataclasses import replace

from platformctl.adapters.holders import is_gone, this_process


def test_a_process_that_runs_is_not_gone() -> None:
    assert not is_gone(this_process("up"))


def test_a_process_that_has_its_pid_by_now_is_another_one() -> None:
    assert is_gone(replace(this_process("up"), started="before that"))


def test_nothing_is_known_of_a_process_on_another_machine() -> None:
    assert not is_gone(replace(this_process("up"), machine="build-7", pid=2**22 + 1))


def test_a_process_that_ended_is_gone_whether_its_parent_asked_or_not() -> None:
    with subprocess.Popen([sys.executable, "-c", _SAY_WHEN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        holder = replace(this_process("up"), pid=process.pid, started=process.stdout.readline().strip())
        assert not is_gone(holder)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(holder), "a zombie"
    assert is_gone(holder)


_SAY_WHEN = """\
import time
from platformctl.adapters.holders import this_process
print(this_process("up").started, flush=True)
time.sleep(600)
"""
