"""Limits of runs: what exceeds one is ended, with the reason; what doesn't is left alone."""

import asyncio
import signal
from pathlib import Path

import pytest

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
