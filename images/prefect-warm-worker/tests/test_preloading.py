"""What is imported ahead is found out module by module: what can't be is left out and named, and the rest is there."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from prefect_warm_worker.forks.forking import Zygote
from prefect_warm_worker.forks.preloading import Preloading
from told import Runs, runs_in

THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, name='busy', daemon=True).start()\n"
IMPORTED_BY = "import os; IMPORTED_BY = os.getpid()\n"


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that zygotes and runs look for modules in."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write modules. texts: by their paths."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


async def imported_ahead(run: Runs, *names: str) -> dict[str, bool]:
    """Return which modules a run finds that note who imported them, and were imported by its zygote."""
    text = "import os\nfrom importlib import import_module as get\n" + "".join(
        f"print({name!r}, get({name!r}).IMPORTED_BY == os.getppid())\n" for name in names
    )
    code, said = await run(text, PYTHONPATH=os.environ["PYTHONPATH"])
    assert code == 0, said
    return {name: word == "True" for name, word in map(str.split, said.splitlines())}


def test_what_starts_a_thread_is_left_out_with_what_needs_it_and_what_they_need_is_not(
    tmp_path: Path, libraries: Path
) -> None:
    write(
        libraries,
        {
            "plain.py": IMPORTED_BY,
            "frame/__init__.py": f"{IMPORTED_BY}from frame import core",
            "frame/core.py": f"{IMPORTED_BY}import plain, later\ntry:\n    import busy\nexcept ImportError:\n    busy = None\n",
            "busy/__init__.py": f"{IMPORTED_BY}from busy import lib",
            "busy/lib.py": IMPORTED_BY + THREAD,
            "later.py": IMPORTED_BY,
            "again.py": f"{IMPORTED_BY}import importlib\nimportlib.import_module('busy')\nimport other\n",
            "other.py": IMPORTED_BY,
            "alone.py": IMPORTED_BY,
        },
    )

    async def check() -> None:
        async with runs_in(tmp_path, "alone", "frame", "again") as run:
            assert run.zygote.preloading.failed == {
                "frame": "it imports busy.lib: it starts a thread (busy)",
                "again": "it imports busy.lib: it starts a thread (busy)",
            }
            names = ("alone", "plain", "later", "other", "frame", "frame.core", "busy", "busy.lib", "again")
            found = await imported_ahead(run, *names)
            assert [name for name in names if found[name]] == ["alone", "plain", "later", "other"]
            assert (await run("import frame.core; print(frame.core.busy)", PYTHONPATH=str(libraries)))[1] != "None\n"

    asyncio.run(check())


def test_what_was_learned_is_not_tried_again(tmp_path: Path, libraries: Path) -> None:
    tried = tmp_path / "tried"
    write(libraries, {"busy.py": f"open({str(tried)!r}, 'a').write('x')\n{THREAD}"})

    async def check() -> None:
        preloading = Preloading(["busy", "json"])
        for _ in range(2):
            async with Zygote(preloading) as zygote:
                assert zygote.preloading.failed == {"busy": "it starts a thread (busy)"}
        assert tried.read_text() == "x"

    asyncio.run(check())


def test_a_module_that_ends_its_threads_before_a_fork_is_imported_ahead(tmp_path: Path, libraries: Path) -> None:
    text = (
        "import os, threading\n"
        "leave = threading.Event()\n"
        "thread = threading.Thread(target=leave.wait)\n"
        "thread.start()\n"
        "os.register_at_fork(before=lambda: (leave.set(), thread.join()))\n"
    )
    write(libraries, {"ready.py": IMPORTED_BY + text})

    async def check() -> None:
        async with runs_in(tmp_path, "ready") as run:
            assert run.zygote.preloading.failed == {}
            assert await imported_ahead(run, "ready") == {"ready": True}

    asyncio.run(check())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import time; time.sleep(600)", "its import took too long"),
        ("import socket; server = socket.create_server(('127.0.0.1', 0)); server.accept()", "its import took too long"),
        ("import signal, time; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 60)); time.sleep(600)", "too long"),
        ("import os; os._exit(3)", "its import ended the process with code 3"),
        ("import os; os._exit(0)", "its import ended the process with code 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "its import was ended by SIGSEGV"),
        ("import os; os.closerange(3, 1000)", "its import ended the process with code 1"),
        ("import sys; sys.exit('enough')", "SystemExit: enough"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("import os; os.environ['MISSING']", "KeyError: 'MISSING'"),
        ("input()", "EOFError: EOF when reading a line"),
    ],
)
def test_an_import_that_goes_wrong_is_named_and_the_rest_is_imported_ahead(
    tmp_path: Path, libraries: Path, text: str, reason: str
) -> None:
    write(
        libraries,
        {
            "before.py": IMPORTED_BY,
            "within.py": IMPORTED_BY,
            "wrong/__init__.py": "import within\nfrom wrong import inner, deep\n",
            "wrong/inner.py": IMPORTED_BY,
            "wrong/deep.py": text,
            "zafter.py": IMPORTED_BY,
        },
    )

    async def check() -> None:
        preloading = Preloading(["before", "wrong", "zafter"], seconds=3)
        async with Zygote(preloading) as zygote:
            assert list(preloading.failed) == ["wrong"]
            assert reason in preloading.failed["wrong"]
            found = await imported_ahead(Runs(zygote, tmp_path), "before", "within", "zafter")
            assert found == {"before": True, "within": True, "zafter": True}

    asyncio.run(check())


def test_imports_that_take_too_long_together_are_left_out(tmp_path: Path, libraries: Path) -> None:
    names = [f"slow{number}" for number in range(30)]
    write(libraries, {f"{name}.py": f"{IMPORTED_BY}import time; time.sleep(0.3)" for name in names})

    async def check() -> None:
        preloading = Preloading(names, seconds=4)
        async with Zygote(preloading) as zygote:
            found = await imported_ahead(Runs(zygote, tmp_path), *names)
        assert [name for name in names if not found[name]] == list(preloading.failed)
        assert found["slow0"]
        assert preloading.failed["slow29"] == "there was no time left for it"

    asyncio.run(check())


def test_what_an_import_writes_holds_up_nothing(tmp_path: Path, libraries: Path) -> None:
    write(libraries, {"loud.py": IMPORTED_BY + "import os\nfor _ in range(1000): os.write(1, b'x' * 1_000_000)\n"})

    async def check() -> None:
        async with runs_in(tmp_path, "loud") as run:
            assert await imported_ahead(run, "loud") == {"loud": True}

    asyncio.run(check())


LEAVE = """
import subprocess, pathlib, time
children = [subprocess.Popen(["sleep", "600"]), subprocess.Popen(["sleep", "600"], start_new_session=True)]
orphan = subprocess.run(["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo $!"], capture_output=True, text=True).stdout
pids = [*(str(child.pid) for child in children), orphan.strip()]
pathlib.Path({told!r}).with_suffix(".new").write_text(" ".join(pids))
pathlib.Path({told!r}).with_suffix(".new").rename({told!r})
{end}
"""
WORKER = """
import asyncio, sys
from prefect_warm_worker.forks.forking import Zygote
from prefect_warm_worker.forks.preloading import Preloading
async def main():
    async with Zygote(Preloading(["leaving"])):
        pass
asyncio.run(main())
"""


async def children_in(told: Path) -> list[Path]:
    """Wait until a module has told of the processes that it started; returns the folders of these."""
    for _ in range(300):
        if told.exists():
            return [Path("/proc", pid) for pid in told.read_text().split()]
        await asyncio.sleep(0.1)
    pytest.fail("it starts nothing")


async def wait_until_gone(processes: list[Path]) -> None:
    for _ in range(200):
        if not any(process.exists() and "Z" not in (process / "stat").read_text().split()[2] for process in processes):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"still there: {processes}")


@pytest.mark.parametrize("end", ["", "time.sleep(600)", "import os; os.kill(os.getpid(), 11)"])
def test_what_an_import_started_ends_with_it(libraries: Path, tmp_path: Path, end: str) -> None:
    told = tmp_path / "told"
    write(libraries, {"leaving.py": LEAVE.format(told=str(told), end=end)})

    async def check() -> None:
        preloading = Preloading(["leaving"], seconds=3)
        async with Zygote(preloading):
            assert list(preloading.failed) == ["leaving"]
            await wait_until_gone(await children_in(told))

    asyncio.run(check())


def test_nothing_is_left_of_an_import_whose_worker_was_killed(libraries: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    write(libraries, {"leaving.py": LEAVE.format(told=str(told), end="time.sleep(600)")})

    async def check() -> None:
        worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER)
        children = await children_in(told)
        parents = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        below = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
        assert str(worker.pid) in parents
        assert len(below) == 1
        zygote = Path(f"/proc/{below[0]}/task/{below[0]}/children").read_text().split()
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
        await wait_until_gone([*children, *(Path("/proc", pid) for pid in [*below, *zygote])])

    asyncio.run(check())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FILE = open(__file__)", "it keeps open {folder}/stateful.py"),
        ("import socket; SERVER = socket.create_server(('127.0.0.1', 0))", "it keeps open socket:["),
        ("import os; os.chdir('/proc')", "it changes the working directory"),
        ("import os; FOLDER = os.path.abspath('beside')", "it asks for the working directory"),
        ("from pathlib import Path; FOLDER = Path.cwd()", "it asks for the working directory"),
        ("import os; os.umask(0o077)", "it changes the umask"),
        ("import signal; signal.signal(signal.SIGTERM, lambda *_: None)", "it changes how signals are handled"),
        ("import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)", "it changes how signals are handled"),
        ("import locale; locale.setlocale(locale.LC_ALL, 'C')", "it changes the locale"),
        ("import sys; sys.setrecursionlimit(5000)", "it changes the recursion limit"),
        ("import decimal; decimal.getcontext().prec = 5", "it changes how decimals are reckoned"),
        ("import sys; sys.excepthook = print", "it changes how errors are shown"),
        ("import threading; threading.excepthook = print", "it changes how errors are shown"),
        ("import sys; sys.path.append('/nowhere')", "it changes how modules are found"),
        (
            "import sys; sys.meta_path.insert(0, type('Finder', (), {{'find_spec': lambda *_: None}}))",
            "modules are found",
        ),
        ("import sys, io; sys.stdout = io.StringIO()", "it changes sys.stdin, stdout or stderr"),
        ("import builtins; builtins.told = print", "it changes built-in names"),
        ("import builtins; open = builtins.open = lambda *a, **k: None", "it replaces builtins.open"),
        ("import logging; logging.basicConfig(level='DEBUG')", "it changes logging for all"),
        ("import logging; logging.getLogger().setLevel('DEBUG')", "it changes logging for all"),
        ("import logging\nclass Own(logging.Logger): pass\nlogging.setLoggerClass(Own)", "it changes logging for all"),
        ("import socket; socket.setdefaulttimeout(5)", "it changes how long sockets wait"),
        ("import random; random.seed(1)", "it changes random numbers"),
        ("import random; DRAWN = random.random()", "it changes random numbers"),
        (
            "import asyncio\nasyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())",
            "it changes asyncio's policy",
        ),
        ("import time\ndef sleep(_): pass\ntime.sleep = sleep", "it replaces time.sleep"),
        ("import socket\nclass Socket(socket.socket): pass\nsocket.socket = Socket", "it replaces socket.socket"),
        ("import threading\ndef start(_): pass\nthreading.Thread.start = start", "it replaces threading.Thread.start"),
        ("import os; os.fork() or os._exit(0)", "it leaves a process running"),
    ],
)
def test_what_changes_the_process_is_not_imported_ahead(
    tmp_path: Path, libraries: Path, text: str, reason: str
) -> None:
    write(libraries, {"plain.py": IMPORTED_BY, "stateful.py": f"import plain\n{text.format()}\n"})

    async def check() -> None:
        preloading = Preloading(["stateful"], engine=["asyncio", "logging", "random", "locale", "threading"])
        async with Zygote(preloading) as zygote:
            assert list(preloading.failed) == ["stateful"]
            assert reason.format(folder=libraries) in preloading.failed["stateful"]
            assert await imported_ahead(Runs(zygote, tmp_path), "plain") == {"plain": True}

    asyncio.run(check())


@pytest.mark.parametrize(
    "text",
    [
        "with open(__file__) as file: import json, xml.dom\nTEXT = 'kept'",
        "import os; was = os.open('.', os.O_PATH); os.chdir('/proc'); import xml.dom; os.fchdir(was); os.close(was)",
        "import threading, xml.dom\nthread = threading.Thread(target=print)\nthread.start()\nimport xml.sax\nthread.join()",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)",
        "import logging; logging.getLogger('own').addHandler(logging.NullHandler())",
    ],
)
def test_what_a_module_puts_back_or_has_for_itself_is_no_hindrance(tmp_path: Path, libraries: Path, text: str) -> None:
    write(libraries, {"neat.py": f"{IMPORTED_BY}{text}\n"})

    async def check() -> None:
        async with runs_in(tmp_path, "neat") as run:
            assert run.zygote.preloading.failed == {}
            assert await imported_ahead(run, "neat") == {"neat": True}

    asyncio.run(check())


def test_a_run_has_the_variables_that_a_library_sets_unless_it_has_its_own(tmp_path: Path, libraries: Path) -> None:
    write(libraries, {"setting.py": "import os; os.environ.setdefault('SET_BY', 'library')\n"})
    text = "import os, setting; print(os.environ['SET_BY'])"

    async def check() -> None:
        async with runs_in(tmp_path, "setting") as run:
            assert run.zygote.preloading.failed == {}
            assert (await run(text, PYTHONPATH=str(libraries)))[1] == "library\n"
            assert (await run(text, PYTHONPATH=str(libraries), SET_BY="job"))[1] == "job\n"

    asyncio.run(check())
