"""The same program as a fork of a zygote and as `python -m` in a new interpreter: what each has come to."""

import asyncio
import contextlib
import difflib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from prefect_warm_worker.forks.forking import Zygote
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.protocol import Job

_AT_START = ("PATH", "PYTHON", "LANG", "LC_")
"""How the variables begin that both an interpreter and a zygote have from their start."""
_NAME = re.compile(r"0x[0-9a-f]+|\btmp\w{8}\b|\d\d:\d\d:\d\d[.,]\d+|repeated \d+ more times")
"""What is another one each time: addresses, temporary files, times; and calls up to their limit, of which a zygote has some."""
_SECONDS = 60


@dataclass(frozen=True)
class Program:
    """A program. text: of its module. files: beside it, by their paths. variables: of its environment."""

    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What a program has come to: its code, what it wrote, and the files that it left in its folder."""

    code: int | None
    output: str
    files: Mapping[str, str]


def differences(found: Mapping[str, tuple[Seen, Seen]]) -> str:
    """Return what forks differ in from interpreters, nothing where they are alike. found: both for each program's name."""
    lines: list[str] = []
    for name, (forked, new) in found.items():
        for what in ("code", "output", "files"):
            one, other = (_lines(getattr(seen, what)) for seen in (new, forked))
            lines += difflib.unified_diff(
                one, other, f"{name}: {what}, new", f"{name}: {what}, forked", n=0, lineterm=""
            )
    return "\n".join(lines)


class Pair:
    """A zygote, and interpreters like it, for one program after the other, each at the same place."""

    def __init__(self, zygote: Zygote, folder: Path, variables: Mapping[str, str]) -> None:
        """folder: made anew for each program. variables: that each has, beside its own."""
        self.preloading, self._zygote, self._folder, self._variables = zygote.preloading, zygote, folder, variables

    async def run(self, program: Program) -> tuple[Seen, Seen]:
        """Return what a program comes to as a fork, and in an interpreter."""
        return await self.fork(program), self._interpret(program)

    async def fork(self, program: Program) -> Seen:
        """Return what a program comes to as a fork."""
        self._lay_out(program)
        output = self._folder.with_suffix(".output")
        with output.open("wb") as file:
            run = await self._zygote.fork(Job("told", self._variables_of(program), self._folder), file.fileno())
        try:
            await asyncio.wait_for(run.ended.wait(), _SECONDS)
        finally:
            run.kill()
        return self._seen(run.returncode, output.read_bytes())

    def _variables_of(self, program: Program) -> dict[str, str]:
        return _environment({**self._variables, **program.variables})

    def _lay_out(self, program: Program) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        for name, text in {"told.py": program.text, **program.files}.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def _interpret(self, program: Program) -> Seen:
        self._lay_out(program)
        output = self._folder.with_suffix(".output")
        with output.open("wb") as file:
            ended = subprocess.run(
                [sys.executable, "-m", "told"],
                cwd=self._folder,
                env=self._variables_of(program),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                timeout=_SECONDS,
                check=False,
            )
        return self._seen(ended.returncode, output.read_bytes())

    def _seen(self, code: int | None, output: bytes) -> Seen:
        left = [path for path in sorted(self._folder.rglob("*")) if "__pycache__" not in path.parts]
        files = {
            _NAME.sub("NAME", str(path.relative_to(self._folder))): _content(path) for path in left if path.is_file()
        }
        return Seen(code, _NAME.sub("NAME", output.decode(errors="replace")), files)


@contextlib.asynccontextmanager
async def pair_in(
    folder: Path, libraries: Mapping[str, str] | None = None, engine: Sequence[str] = (), **variables: str
) -> AsyncIterator[Pair]:
    """Start a zygote that imports libraries, given as texts, if they can be imported ahead.

    engine: what it has imported before them. variables: of its environment.
    """
    installed = folder / "installed"
    installed.mkdir()
    for name, text in (libraries or {}).items():
        (installed / f"{name}.py").write_text(text, encoding="utf-8")
    preloading = Preloading(list(libraries or {}), engine)
    with patch.dict(
        os.environ, PYTHONPATH=os.pathsep.join([str(installed), *os.environ.get("PYTHONPATH", "").split()])
    ):
        async with Zygote(preloading, _environment(variables)) as zygote:
            yield Pair(zygote, folder / "work", variables)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    common = {name: value for name, value in os.environ.items() if name.startswith(_AT_START)}
    return {"LANG": "C.UTF-8", **common, **more}


def _lines(found: object) -> list[str]:
    return [f"{name}: {text!r}" for name, text in found.items()] if isinstance(found, dict) else str(found).splitlines()


def _content(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
