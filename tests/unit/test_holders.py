"""Whether a process that holds a lock still runs."""

import os
import pwd
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platformctl.adapters.holders import is_gone, this_process

_NOBODY = 2**22 + 1  # above what Linux gives as a pid


def test_a_holder_says_who_does_what_where_since_when() -> None:
    before = datetime.now(UTC)
    holder = this_process("up --yes")
    assert (holder.command, holder.user) == ("up --yes", pwd.getpwuid(os.getuid()).pw_name)
    assert (holder.host, holder.pid) == (socket.gethostname(), os.getpid())
    assert before <= holder.since <= datetime.now(UTC)
    assert holder.id != this_process("up --yes").id


def test_a_machine_is_its_host_and_the_namespace_of_its_processes() -> None:
    host, *_, namespace = this_process("up").machine.split()
    assert (host, namespace) == (socket.gethostname(), str(Path("/proc/self/ns/pid").readlink()))


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", refuse)
    assert this_process("up").user == str(os.getuid())


def test_a_process_that_is_not_there_is_gone() -> None:
    assert is_gone(replace(this_process("up"), pid=_NOBODY))


@pytest.mark.parametrize(("pid", "started", "gone"), [(os.getpid(), "", True), (_NOBODY, "then", False)])
def test_another_users_process_is_judged_by_when_it_began(
    monkeypatch: pytest.MonkeyPatch, pid: int, started: str, gone: bool
) -> None:
    def refuse(pid: int, number: int) -> None:
        assert number == 0, "it is only asked for"
        raise PermissionError(pid)

    monkeypatch.setattr(os, "kill", refuse)
    assert is_gone(replace(this_process("up"), pid=pid, started=started)) is gone
    assert not is_gone(this_process("up"))


def test_a_process_that_runs_is_not_gone() -> None:
    assert not is_gone(this_process("up"))


def test_a_process_that_has_its_pid_by_now_is_another_one() -> None:
    assert is_gone(replace(this_process("up"), started="before that"))


def test_nothing_is_known_of_a_process_on_another_machine() -> None:
    assert not is_gone(replace(this_process("up"), machine="build-7", pid=_NOBODY))


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
