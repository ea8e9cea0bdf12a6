"""A run is a fork only where a new interpreter with its environment would have read the same."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.runs import Forks, new_last_lines
from prefect_warm_worker.protocol import Job
from told import common_variables

ACME = "import os\nURL = os.environ.get('ACME_URL', 'default')\nIMPORTED_BY = os.getpid()\n"
TELL = "import os, acme\nprint(acme.URL, acme.IMPORTED_BY)\n"


class Worker:
    """Forks, whose zygotes have imported a module."""

    def __init__(self, folder: Path, text: str, most_others: int = 3) -> None:
        self._folder, libraries = folder, folder / "libraries"
        libraries.mkdir()
        (libraries / "acme.py").write_text(text, encoding="utf-8")
        self.variables = {**common_variables(), "PYTHONPATH": str(libraries)}
        self.forks = Forks(folder / "flows", ["acme"], self.variables, engine=(), most_others=most_others)

    async def run(self, text: str, **variables: str) -> tuple[ForkedRun, list[str]]:
        """Run a text to its end; returns the run, with the words that it wrote."""
        (self._folder / "told.py").write_text(text, encoding="utf-8")
        lines = new_last_lines()
        job = Job("told", self.variables | variables, self._folder)
        async with self.forks.begin(job, lines, stream=False) as run:
            await asyncio.wait_for(run.ended.wait(), 60)
        assert run.returncode == 0, lines
        return run, " ".join(lines).split()

    async def run_until(self, is_wanted: Callable[[ForkedRun], bool], **variables: str) -> list[str]:
        """Run what tells of the module until a run is as wanted; returns the words that it wrote."""
        for _ in range(200):
            run, said = await self.run(TELL, **variables)
            if is_wanted(run):
                return said
            await asyncio.sleep(0.05)
        pytest.fail("no run is as wanted")


def is_forked(run: ForkedRun) -> bool:
    """Whether a run has kept what its zygote has imported."""
    return not run.read_too_late


def test_a_run_has_the_values_that_its_modules_read_while_they_are_imported(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME)

    async def check() -> None:
        async with worker.forks as forks:
            _, common = await worker.run(TELL)
            assert common == ["default", str(forks.zygote.pid)]
            run, said = await worker.run(TELL, ACME_URL="of the run")
            assert run.read_too_late == ["ACME_URL"]
            assert said == ["of", "the", "run", str(run.pid)]
            assert (await worker.run(TELL))[1] == common

    asyncio.run(check())


def test_runs_that_come_back_with_the_same_values_share_a_zygote_of_their_own(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME)

    async def check() -> None:
        async with worker.forks as forks:
            one, one_pid = await worker.run_until(is_forked, ACME_URL="one")
            assert one == "one"
            for colour in ("red", "blue"):
                run, said = await worker.run(TELL, ACME_URL="one", COLOUR=colour)
                assert (said, is_forked(run)) == (["one", one_pid], True)
            assert one_pid not in {str(forks.zygote.pid), str(run.pid)}
            two, two_pid = await worker.run_until(is_forked, ACME_URL="two")
            assert (two, two_pid == one_pid) == ("two", False)

    asyncio.run(check())


def test_values_that_no_other_run_has_start_no_zygote(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME)

    async def check() -> None:
        async with worker.forks:
            before = children()
            for number in range(4):
                _, said = await worker.run(TELL, ACME_URL=str(number))
                assert said[0] == str(number)
            assert children() == before

    asyncio.run(check())


def test_there_are_no_more_zygotes_than_are_wanted(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME, most_others=1)

    async def check() -> None:
        async with worker.forks:
            await worker.run_until(is_forked, ACME_URL="one")
            before = children()
            for _ in range(4):
                run, said = await worker.run(TELL, ACME_URL="two")
                assert (said, is_forked(run)) == (["two", str(run.pid)], False)
            assert children() == before
            assert is_forked((await worker.run(TELL, ACME_URL="one"))[0])

    asyncio.run(check())


def children() -> set[str]:
    """Return this process's children."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


@pytest.mark.parametrize(
    ("text", "variables", "late"),
    [
        (ACME, {"COLOUR": "red"}, []),
        (ACME, {"PREFECT__FLOW_RUN_ID": "1"}, []),
        (ACME, {"ACME_URL": "a", "COLOUR": "red"}, ["ACME_URL"]),
        (f"{ACME}IS_RED = 'COLOUR' in os.environ", {"COLOUR": "red"}, ["COLOUR"]),
        (f"{ACME}COLOUR = os.getenv('COLOUR')", {"COLOUR": "red"}, ["COLOUR"]),
        (f"{ACME}COLOUR = os.environb.get(b'COLOUR')", {"COLOUR": "red"}, ["COLOUR"]),
        (f"{ACME}ALL = dict(os.environ)", {"COLOUR": "red"}, ["COLOUR"]),
        (f"{ACME}ALL = os.environ.copy()", {"COLOUR": "red"}, ["COLOUR"]),
        (f"{ACME}ALL = [*os.environ.items()]", {"COLOUR": "red"}, ["COLOUR"]),
        (ACME, {"PYTHONHASHSEED": "1", "LD_PRELOAD": ""}, ["LD_PRELOAD", "PYTHONHASHSEED"]),
        (ACME, {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C"}, ["LC_ALL", "MALLOC_ARENA_MAX"]),
    ],
)
def test_only_what_is_read_makes_a_difference(
    tmp_path: Path, text: str, variables: dict[str, str], late: list[str]
) -> None:
    worker = Worker(tmp_path, text)

    async def check() -> None:
        async with worker.forks:
            run, _ = await worker.run(TELL, **variables)
            assert run.read_too_late == late

    asyncio.run(check())


def test_a_variable_that_a_run_is_to_lack_makes_a_difference(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME)
    common = dict(worker.variables)
    worker.variables["ACME_URL"] = "of the worker"
    worker.forks = Forks(tmp_path / "flows", ["acme"], dict(worker.variables), engine=())

    async def check() -> None:
        async with worker.forks:
            assert (await worker.run(TELL))[1][:3] == ["of", "the", "worker"]
            worker.variables = common
            assert (await worker.run(TELL))[1][0] == "default"

    asyncio.run(check())


def test_recording_changes_nothing_of_the_environment(tmp_path: Path) -> None:
    text = (
        "import os\n"
        "URL = [os.environ.setdefault('A', '1'), os.environ.pop('B', None), os.environb[b'A'], len(os.environ) > 1,\n"
        "    'A' in os.environ.copy(), type(os.environ).__name__, sorted(os.environ | {'C': ''}) == sorted([*os.environ, 'C'])]\n"
        "del os.environ['A']\n"
        "URL.append(os.getenv('A'))\n"
        "IMPORTED_BY = 0\n"
    )
    worker = Worker(tmp_path, text)
    told = "import acme\nprint(acme.URL == ['1', None, b'1', True, True, '_Environ', True, None])"

    async def check() -> None:
        async with worker.forks:
            assert (await worker.run(told))[1] == ["True"]
            data = "[type(vars(view)['_data']).__name__ for view in (os.environ, os.environb)]"
            assert (await worker.run(f"import os\nprint(*{data})"))[1] == ["dict", "dict"]

    asyncio.run(check())


def test_a_run_has_the_variables_that_an_interpreter_sets_itself(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME)

    async def check() -> None:
        async with worker.forks:
            tell = "import os\nprint(*sorted(os.environ.items()))"
            forked, said = await worker.run(tell, COLOUR="red")
            replaced, expected = await worker.run(tell, COLOUR="red", ACME_URL="a")
            assert (is_forked(forked), is_forked(replaced)) == (True, False)
            assert [word for word in expected if word not in said] == ["('ACME_URL',", "'a')"]

    asyncio.run(check())


SHADOWED = "import acme\nprint(acme.URL)"


@pytest.mark.parametrize("place", ["folder", "path"])
def test_a_module_that_a_run_finds_elsewhere_is_read_from_there(tmp_path: Path, place: str) -> None:
    worker, other = Worker(tmp_path, ACME), tmp_path / "other"
    other.mkdir()
    (tmp_path / "acme").mkdir()  # without Python in it, it is found last
    where = {"folder": tmp_path, "path": other}[place]

    async def check() -> None:
        async with worker.forks:
            path = f"{other}{os.pathsep}{worker.variables['PYTHONPATH']}"
            assert (await worker.run(SHADOWED, PYTHONPATH=path))[1] == ["default"]
            (where / "acme.py").write_text("URL = 'mine'", encoding="utf-8")
            assert (await worker.run(SHADOWED, PYTHONPATH=path))[1] == ["mine"]

    asyncio.run(check())


@pytest.mark.parametrize("name", ["json", "statistics"])
def test_so_is_one_of_the_standard_library(tmp_path: Path, name: str) -> None:
    worker = Worker(tmp_path, f"import {name}\nURL = {name}.__name__\nIMPORTED_BY = 0")

    async def check() -> None:
        async with worker.forks:
            (tmp_path / f"{name}.py").write_text("MINE = 'mine'", encoding="utf-8")
            assert (await worker.run(f"import {name}\nprint({name}.MINE)"))[1] == ["mine"]

    asyncio.run(check())


def test_a_module_that_was_not_there_while_others_were_imported_is_there_for_a_run_that_has_it(tmp_path: Path) -> None:
    text = "try:\n    from speedups import URL\nexcept ImportError:\n    URL = 'slow'\n"
    worker = Worker(tmp_path, text)

    async def check() -> None:
        async with worker.forks:
            assert (await worker.run(SHADOWED))[1] == ["slow"]
            (tmp_path / "speedups.py").write_text("URL = 'fast'", encoding="utf-8")
            assert (await worker.run(SHADOWED))[1] == ["fast"]

    asyncio.run(check())


def test_what_an_interpreter_imports_by_itself_is_imported(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME)

    async def check() -> None:
        async with worker.forks:
            libraries = Path(worker.variables["PYTHONPATH"])
            (libraries / "sitecustomize.py").write_text("print('customized')", encoding="utf-8")
            assert (await worker.run("print('through')"))[1] == ["customized", "through"]

    asyncio.run(check())


def test_a_module_that_has_changed_is_never_the_former_one(tmp_path: Path) -> None:
    worker = Worker(tmp_path, "from package.inner import URL\n")
    inner = tmp_path / "libraries" / "package" / "inner.py"
    inner.parent.mkdir()
    inner.write_text("URL = 'old'", encoding="utf-8")

    async def check() -> None:
        async with worker.forks:
            for said in ("old", "newer", "newest"):  # within a second, and of other sizes, which Python needs itself
                inner.write_text(f"URL = '{said}'", encoding="utf-8")
                assert (await worker.run(SHADOWED))[1] == [said]

    asyncio.run(check())


def test_a_run_looks_for_modules_where_its_own_variables_say(tmp_path: Path) -> None:
    worker = Worker(tmp_path, ACME)

    async def check() -> None:
        async with worker.forks:
            path = f"relative{os.pathsep}/absolute"
            _, said = await worker.run("import sys\nprint(*sys.path[:3])", PYTHONPATH=path)
            assert said == [str(tmp_path), f"{tmp_path}/relative", "/absolute"]

    asyncio.run(check())
