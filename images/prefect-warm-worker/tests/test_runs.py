"""Runs of a worker's zygotes: one that died or that is outdated is replaced, and what a run leaves is seen to."""

import asyncio
import os
import select
import signal
from collections import deque
from pathlib import Path

import pytest

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.forking import ZygoteError
from prefect_warm_worker.forks.runs import Forks, new_last_lines
from prefect_warm_worker.protocol import Job


async def run_to_end(forks: Forks, folder: Path, text: str) -> tuple[ForkedRun, deque[str]]:
    """Run the text of a module as a run; returns it with the last lines that it wrote."""
    (folder / "told.py").write_text(text, encoding="utf-8")
    lines = new_last_lines()
    await forks.renew()
    async with forks.begin(Job("told", dict(os.environ), folder), lines, stream=False) as run:
        await asyncio.wait_for(run.ended.wait(), 60)
    return run, lines


async def renew_until_replaced(forks: Forks) -> None:
    """Ask for a zygote, as each run does, until it is another one."""
    former = forks.zygote.pid
    for _ in range(200):
        await forks.renew()
        if forks.zygote.pid != former:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the zygote is not replaced")


def test_a_zygote_that_died_is_replaced(tmp_path: Path) -> None:
    async def check() -> None:
        async with Forks(tmp_path, [], engine=()) as forks:
            former = forks.zygote.pid
            os.kill(former, signal.SIGKILL)
            run, lines = await run_to_end(forks, tmp_path, "print('here')")
            assert (run.returncode, list(lines)) == (0, ["here"])
            assert forks.zygote.pid != former

    asyncio.run(check())


def test_a_run_begins_though_nobody_has_noticed_yet_that_its_zygote_died(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("print('here')")

    async def check() -> None:
        async with Forks(tmp_path, [], engine=()) as forks:
            former, lines = forks.zygote.pid, new_last_lines()
            with os.fdopen(os.pidfd_open(former)) as death:
                os.kill(former, signal.SIGKILL)
                select.select([death], [], [])  # blocks, so that the loop hears of nothing
            async with forks.begin(Job("told", dict(os.environ), tmp_path), lines, stream=False) as run:
                await asyncio.wait_for(run.ended.wait(), 60)
            assert (run.returncode, list(lines)) == (0, ["here"])
            assert forks.zygote.pid != former

    asyncio.run(check())


def test_a_zygote_is_replaced_when_a_flow_imports_another_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    (libraries / "ahead.py").write_text("import os; IMPORTED_BY = os.getpid()")
    monkeypatch.setenv("PYTHONPATH", str(libraries))
    flows = tmp_path / "flows"
    flows.mkdir()

    async def check() -> None:
        async with Forks(flows, None, engine=()) as forks:
            former = forks.zygote.pid
            (flows / "flow.py").write_text("import ahead")
            await renew_until_replaced(forks)
            _, lines = await run_to_end(forks, tmp_path, "import ahead; print(ahead.IMPORTED_BY)")
            assert list(lines) == [str(forks.zygote.pid)]
            assert forks.zygote.pid != former

    asyncio.run(check())


def test_a_zygote_is_replaced_when_what_it_has_imported_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library.py"
    library.write_text("VALUE = 'old'")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = "import library; print(library.VALUE)"

    async def check() -> None:
        async with Forks(tmp_path / "flows", ["library"], engine=()) as forks:
            assert list((await run_to_end(forks, tmp_path, text))[1]) == ["old"]
            library.write_text("VALUE = 'the new one'")
            await renew_until_replaced(forks)
            assert list((await run_to_end(forks, tmp_path, text))[1]) == ["the new one"]

    asyncio.run(check())


def test_runs_of_a_replaced_zygote_go_on(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("import time; time.sleep(60)")

    async def check() -> None:
        async with Forks(tmp_path / "flows", None, engine=()) as forks:
            former = forks.zygote
            async with forks.begin(Job("told", dict(os.environ), tmp_path), new_last_lines(), stream=False) as run:
                (tmp_path / "flows").mkdir()
                (tmp_path / "flows" / "flow.py").write_text("import yaml")
                await renew_until_replaced(forks)
                assert former.is_alive
                os.kill(run.pid, signal.SIGTERM)
                await asyncio.wait_for(run.ended.wait(), 60)
                assert run.returncode == -signal.SIGTERM
            assert not former.is_alive
            assert forks.zygote.is_alive

    asyncio.run(check())


@pytest.mark.parametrize("has_zygote", [True, False])
def test_a_process_that_a_run_leaves_behind_holds_up_nothing_and_is_reaped(tmp_path: Path, has_zygote: bool) -> None:
    text = "import subprocess; print('left', flush=True); print(subprocess.Popen(['sleep', '2']).pid)"

    async def check() -> None:
        async with Forks(tmp_path, [], engine=()) as forks:
            run, lines = await run_to_end(forks, tmp_path, text)
            assert run.returncode == 0
            if not has_zygote:
                os.kill(forks.zygote.pid, signal.SIGKILL)
            for _ in range(200):
                if not Path(f"/proc/{lines[-1]}").exists():
                    return
                await asyncio.sleep(0.1)
            pytest.fail(f"nobody has asked for the end of {lines[-1]}")

    asyncio.run(check())


def test_the_last_lines_are_kept_whole(tmp_path: Path) -> None:
    text = "import sys\nfor number in range(30): print('é' * 5000, number)\nsys.stdout.write('no newline')"

    async def check() -> None:
        async with Forks(tmp_path, [], engine=()) as forks:
            _, lines = await run_to_end(forks, tmp_path, text)
            assert len(lines) == 20
            assert [line.split()[-1] for line in lines] == [*map(str, range(11, 30)), "newline"]
            assert all(set(line[:100]) == {"é"} for line in list(lines)[:-1])

    asyncio.run(check())


def test_a_run_waits_for_no_import_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hanging.py").write_text(
        "import pathlib, time\nwhile not pathlib.Path(__file__).with_name('go').exists(): time.sleep(0.1)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("prefect_warm_worker.forks.forker._PATIENCE", 0.5)

    async def check() -> None:
        async with Forks(tmp_path, ["hanging"], engine=()) as forks:
            assert not await forks.renew()
            with pytest.raises(ZygoteError, match="no zygote has started in time"):
                await run_to_end(forks, tmp_path, "print('too early')")
            (tmp_path / "go").touch()
            while not await forks.renew():
                pass
            assert forks.zygote.preloading.failed == {}
            assert list((await run_to_end(forks, tmp_path, "print('here')"))[1]) == ["here"]

    asyncio.run(check())


def test_a_worker_that_ends_waits_for_no_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hanging.py").write_text(
        "import os, pathlib, time\npathlib.Path(__file__).with_name('pid').write_text(str(os.getpid()))\ntime.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("prefect_warm_worker.forks.forker._PATIENCE", 0.5)

    async def check() -> None:
        async with Forks(tmp_path, ["hanging"], engine=()):
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
                await asyncio.sleep(0.1)
        assert not Path("/proc", (tmp_path / "pid").read_text()).exists()

    asyncio.run(check())


def test_a_flow_that_sets_what_a_library_reads_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "reading.py").write_text("import os\nTHREADS = os.environ.get('READING_THREADS')\n")
    (tmp_path / "installed" / "importing.py").write_text("import reading\n")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "flow.py").write_text("import os\nos.environ['READING_THREADS'] = '1'\nimport reading\n")
    (tmp_path / "flows" / "other.py").write_text("import importing\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))

    async def check() -> None:
        async with Forks(tmp_path / "flows", None, engine=()) as forks:
            said = {name: forks.zygote.preloading.failed[name] for name in ("reading", "importing")}
            text = "import os\nos.environ['READING_THREADS'] = '1'\nimport reading\nprint(reading.THREADS)"
            assert list((await run_to_end(forks, tmp_path, text))[1]) == ["1"]
        assert said["reading"] == "flow.py sets variables before it imports it"
        assert said["importing"].startswith("it imports reading: ")

    asyncio.run(check())
