"""A zygote and its runs, without Prefect: what a fork gets, what it leaves, and what becomes of it when the zygote dies."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from prefect_warm_worker.forks.forking import Zygote, ZygoteError
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.forks.processes import is_engine
from prefect_warm_worker.protocol import ENGINE_MODULE, Job
from told import Runs, common_variables, runs_in


def test_a_run_has_its_own_environment_folder_session_and_arguments(tmp_path: Path) -> None:
    text = (
        "import os, sys\n"
        "print(os.environ['COLOUR'], os.getcwd(), os.getsid(0) == os.getpid(), sys.path[0], __name__)\n"
        "print(sorted(os.environ))\n"
    )

    async def check() -> None:
        async with runs_in(tmp_path) as run:
            code, said = await run(text, COLOUR="red")
            assert code == 0
            assert said.splitlines()[0] == f"red {tmp_path} True {tmp_path} __main__"
            assert "HOME" not in said.splitlines()[1]

    asyncio.run(check())


def test_what_one_run_changes_no_other_one_sees(tmp_path: Path) -> None:
    meddle = (
        "import os, json, random, signal\n"
        "print(random.random())\n"
        "json.meddled = True; os.environ['MEDDLED'] = '1'; os.chdir('/'); random.seed(1)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    )
    look = (
        "import os, json, random, signal\n"
        "print(hasattr(json, 'meddled'), 'MEDDLED' in os.environ, os.getcwd(), signal.getsignal(signal.SIGTERM))\n"
        "print(random.random())\n"
    )

    async def check() -> None:
        async with runs_in(tmp_path, "json", "random") as run:
            _, meddled = await run(meddle)
            code, said = await run(look)
            facts, drawn = said.splitlines()
            assert (code, facts) == (0, f"False False {tmp_path} 0")
            assert drawn != meddled.strip()

    asyncio.run(check())


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('too late')", 1, "too late\n"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os._exit(9)", 9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV, ""),
        ("import atexit; atexit.register(print, 'bye'); print('hello', end=' ')", 0, "hello bye\n"),
        (
            "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('done'))).start()",
            0,
            "done\n",
        ),
    ],
)
def test_a_run_ends_as_an_interpreter_would(tmp_path: Path, text: str, code: int, said: str) -> None:
    async def check() -> None:
        async with runs_in(tmp_path) as run:
            found, output = await run(text)
            assert found == code
            assert said in output

    asyncio.run(check())


def test_a_run_inherits_no_descriptor(tmp_path: Path) -> None:
    text = "import os\nprint(sorted(int(name) for name in os.listdir('/proc/self/fd')))"

    async def check() -> None:
        async with runs_in(tmp_path) as run:
            _, said = await run(text)
            assert said == "[0, 1, 2, 3]\n"  # the last one is the folder that is being listed

    asyncio.run(check())


def test_what_a_run_leaves_running_is_waited_for(tmp_path: Path) -> None:
    text = "import subprocess\nprint(subprocess.Popen(['sleep', '0.2'], stdout=subprocess.DEVNULL).pid)"

    async def check() -> None:
        async with runs_in(tmp_path) as run:
            _, said = await run(text)
            for _ in range(100):
                if not Path("/proc", said.strip()).exists():
                    return
                await asyncio.sleep(0.1)
            pytest.fail("it is still there")

    asyncio.run(check())


def test_a_run_looks_for_modules_in_its_own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/of/the/zygote")

    async def check() -> None:
        async with runs_in(tmp_path) as run:
            _, said = await run("import sys; print(sys.path[:3], '/of/the/zygote' in sys.path)", PYTHONPATH="/a:/b")
            assert said == f"['{tmp_path}', '/a', '/b'] False\n"

    asyncio.run(check())


def test_a_run_that_reads_its_input_is_at_its_end(tmp_path: Path) -> None:
    async def check() -> None:
        async with runs_in(tmp_path) as run:
            assert await run("import sys; print(repr(sys.stdin.read()))") == (0, "''\n")

    asyncio.run(check())


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_run_outlives_the_reader_of_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    text = (
        "import os, pathlib, sys, time\n"
        "while not pathlib.Path('gone').exists(): time.sleep(0.01)\n"
        "for stream in (sys.stdout, sys.stderr): print('x' * 100_000, file=stream, flush=True)\n"
        "pathlib.Path('through').write_text(f'{sys.stdout.encoding} {sys.stdout.write_through}')\n"
    )

    async def check() -> None:
        async with runs_in(tmp_path) as run:
            forked, reader = await run.begin(text)
            os.close(reader)
            (tmp_path / "gone").touch()
            await asyncio.wait_for(forked.ended.wait(), 30)
            assert forked.returncode == 0
            assert (tmp_path / "through").read_text() == f"utf-8 {bool(unbuffered)}"

    asyncio.run(check())


def test_a_run_that_shows_its_own_command_is_known_as_an_engine(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "engine.py").write_text(
        "import pathlib, time\nwhile not pathlib.Path('seen').exists(): time.sleep(0.01)\n"
    )

    async def check() -> None:
        async with runs_in(tmp_path) as run:
            assert not is_engine(str(run.zygote.pid))
            forked = await run.zygote.fork(Job(ENGINE_MODULE, {}, tmp_path), 1)
            while ENGINE_MODULE.encode() not in Path(f"/proc/{forked.pid}/cmdline").read_bytes():
                await asyncio.sleep(0.01)
            assert is_engine(str(forked.pid))
            (tmp_path / "seen").touch()
            await asyncio.wait_for(forked.ended.wait(), 30)
            assert not is_engine(str(forked.pid))

    asyncio.run(check())


def test_runs_go_on_side_by_side(tmp_path: Path) -> None:
    async def check() -> None:
        async with runs_in(tmp_path) as run:
            begun = [await run.begin("import sys; sys.stdin; import time; time.sleep(60)") for _ in range(3)]
            for forked, reader in begun:
                os.kill(forked.pid, signal.SIGTERM)
                await asyncio.wait_for(forked.ended.wait(), 30)
                os.close(reader)
            assert [forked.returncode for forked, _ in begun] == [-signal.SIGTERM] * 3

    asyncio.run(check())


def test_what_cannot_be_imported_ahead_is_said_and_no_hindrance(tmp_path: Path) -> None:
    async def check() -> None:
        async with runs_in(tmp_path, "json", "no_such_module") as run:
            assert run.zygote.preloading.failed == {
                "no_such_module": "ModuleNotFoundError: No module named 'no_such_module'"
            }
            assert await run("print('still here')") == (0, "still here\n")

    asyncio.run(check())


def test_the_end_of_a_run_is_known_after_its_zygote_was_killed(tmp_path: Path) -> None:
    async def check() -> None:
        async with runs_in(tmp_path) as run:
            forked, reader = await run.begin("import time; time.sleep(60)")
            os.kill(run.zygote.pid, signal.SIGKILL)
            with pytest.raises(ZygoteError):
                await run("print('too late')")
            os.kill(forked.pid, signal.SIGTERM)
            await asyncio.wait_for(forked.ended.wait(), 30)
            os.close(reader)
            assert forked.returncode == -signal.SIGTERM
            assert not run.zygote.is_alive

    asyncio.run(check())


def test_a_zygote_ends_with_its_worker() -> None:
    text = (
        "import asyncio, os, sys\n"
        "from prefect_warm_worker.forks.forking import Zygote\n"
        "from prefect_warm_worker.forks.preloading import Preloading\n"
        "async def main():\n"
        "    async with Zygote(Preloading([])) as zygote:\n"
        "        print(zygote.pid, flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )

    async def check() -> None:
        worker = await asyncio.create_subprocess_exec(sys.executable, "-c", text, stdout=asyncio.subprocess.PIPE)
        said, _ = await worker.communicate()
        for _ in range(100):
            if not _is_running(int(said)):
                return
            await asyncio.sleep(0.1)
        pytest.fail("the zygote is still there")

    asyncio.run(check())


def _is_running(pid: int) -> bool:
    """Whether a process is there, and more than an entry that nobody has asked for yet."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def test_no_password_stands_where_other_processes_see_it(tmp_path: Path) -> None:
    secret = {"PREFECT_API_AUTH_STRING": "admin:secret"}

    async def check() -> None:
        async with Zygote(Preloading([]), {**common_variables(), **secret}) as zygote:
            assert b"secret" not in Path("/proc", str(zygote.pid), "environ").read_bytes()
            said = await Runs(zygote, tmp_path)("import os; print(os.environ['PREFECT_API_AUTH_STRING'])", **secret)
        assert said == (0, "admin:secret\n")

    asyncio.run(check())
