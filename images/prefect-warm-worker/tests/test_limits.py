"""Limits of runs: what exceeds one is ended, with the reason; what doesn't is left alone."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from prefect_warm_worker.forks import limits as looked_at
from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.limits import Guard, Limits
from told import runs_in

MIB = 2**20
EAT = "import time; eaten = bytearray(b'x') * (200 * 2**20); time.sleep(60)"
FEED_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {EAT!r}])"


@pytest.mark.parametrize(
    ("text", "limits", "reason"),
    [
        (EAT, Limits(memory=100 * MIB), "MiB of memory, more than the 100 MiB that it may take"),
        (FEED_A_CHILD, Limits(memory=100 * MIB), "MiB of memory, more than the 100 MiB that it may take"),
        ("import time; time.sleep(60)", Limits(seconds=0.5), "it ran for longer than the 0.5 s that it may take"),
    ],
)
def test_what_exceeds_a_limit_is_ended(tmp_path: Path, text: str, limits: Limits, reason: str) -> None:
    async def check() -> None:
        guard = Guard()
        watching = asyncio.create_task(guard.watch())
        async with runs_in(tmp_path) as runs:
            run, _ = await runs.begin(text)
            with guard.limiting(run, limits):
                await asyncio.wait_for(run.ended.wait(), 30)
            assert run.returncode == -signal.SIGKILL
            assert reason in run.reason
        watching.cancel()

    asyncio.run(check())


def test_what_a_run_shares_with_the_zygote_is_not_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.py").write_text("content = bytearray(b'x') * (200 * 2**20)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def check() -> None:
        guard = Guard()
        watching = asyncio.create_task(guard.watch())
        async with runs_in(tmp_path, "large") as runs:
            run, _ = await runs.begin("import time, large; print(len(large.content)); time.sleep(1)")
            with guard.limiting(run, Limits(memory=100 * MIB, seconds=60)):
                await asyncio.wait_for(run.ended.wait(), 30)
            assert (run.returncode, run.reason) == (0, "")
        watching.cancel()

    asyncio.run(check())


class Told(ForkedRun):
    """A run that is told its end, without a process."""

    def kill(self, reason: str = "", *, is_handed_back: bool = False) -> None:
        self.reason = reason


class Look(Exception):  # noqa: N818  # no error: the look is over
    """One look at the runs."""


def look(patch: pytest.MonkeyPatch, held: Mapping[Told, Limits], memory: Mapping[int, int], seconds: float) -> None:
    """Look once at runs held to limits, so many seconds after they began. memory: bytes by the pid of each session."""
    begun = 1000.0
    times, pauses = iter([begun] * len(held) + [begun + seconds] * len(held)), iter([None])

    async def pause(_: float) -> None:
        if next(pauses, Look) is Look:
            raise Look

    patch.setattr(looked_at, "time", SimpleNamespace(monotonic=lambda: next(times)))
    patch.setattr(looked_at, "asyncio", SimpleNamespace(sleep=pause))
    patch.setattr(looked_at, "processes_by_session", lambda: {pid: [pid] for pid in memory})
    patch.setattr(looked_at, "memory_of", lambda pids, **_: sum(memory[pid] for pid in pids))
    guard = Guard()
    with contextlib.ExitStack() as stack:
        for run, limits in held.items():
            stack.enter_context(guard.limiting(run, limits))
        with pytest.raises(Look):
            asyncio.run(guard.watch())


@pytest.mark.parametrize(
    ("limits", "memory", "seconds", "reason"),
    [
        (Limits(seconds=60), 900 * MIB, 60, ""),
        (Limits(seconds=60), 0, 60.1, "it ran for longer than the 60 s that it may take"),
        (Limits(seconds=0), 0, 0.1, "it ran for longer than the 0 s that it may take"),
        (Limits(memory=100 * MIB), 100 * MIB, 900, ""),
        (Limits(memory=100 * MIB), 101 * MIB, 0, "it took 101 MiB of memory, more than the 100 MiB that it may take"),
        (Limits(memory=100 * MIB, seconds=60), 100 * MIB, 60, ""),
        (Limits(memory=100 * MIB, seconds=60), 0, 61, "it ran for longer than the 60 s that it may take"),
        (
            Limits(memory=100 * MIB, seconds=60),
            300 * MIB,
            0,
            "it took 300 MiB of memory, more than the 100 MiB that it may take",
        ),
        (Limits(), 900 * MIB, 900, ""),
    ],
)
def test_only_what_is_above_a_limit_exceeds_it(
    monkeypatch: pytest.MonkeyPatch, limits: Limits, memory: int, seconds: float, reason: str
) -> None:
    run = Told(7)
    look(monkeypatch, {run: limits}, {7: memory}, seconds)
    assert run.reason == reason


def test_each_run_is_held_to_its_own_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large, ended = Told(7), Told(8), Told(9)
    look(monkeypatch, dict.fromkeys((small, large, ended), Limits(memory=MIB)), {7: MIB, 8: 2 * MIB, 5: 9 * MIB}, 1)
    assert [bool(run.reason) for run in (small, large, ended)] == [False, True, False]


def test_a_run_that_is_through_is_held_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    run, guard = Told(7), Guard()
    with guard.limiting(run, Limits(seconds=0)):
        pass
    monkeypatch.setattr(looked_at, "processes_by_session", lambda: pytest.fail("nothing is to be looked for"))

    async def check() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(guard.watch(), 0.6)

    asyncio.run(check())
    assert run.reason == ""
