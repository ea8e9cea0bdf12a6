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

from prefect_warm_worker.forks.forking import Zygote
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.protocol import Job

_AT_START = ("PATH", "PYTHON", "LANG", "LC_")
"""How the variables begin that both an interpreter and a zygote have from their start."""
_NAMES = r"0x[0-9a-f]+|\btmp\w{8}\b|\d\d:\d\d:\d\d[.,]\d+"
"""What is another one each time: addresses, temporary files, times."""
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
            one, other = (str(getattr(seen, what)).splitlines() for seen in (new, forked))
            lines += difflib.unified_diff(
                one, other, f"{name}: {what}, new", f"{name}: {what}, forked", n=0, lineterm=""
            )
    return "\n".join(lines)


class Pair:
    """A zygote, and interpreters like it, for one program after the other, each at the same place."""

    def __init__(self, zygote: Zygote, folder: Path, variables: Mapping[str, str]) -> None:
        """folder: made anew for each program. variables: that each has, beside its own."""
        self._zygote, self._folder, self._variables = zygote, folder, variables

    async def run(self, program: Program) -> tuple[Seen, Seen]:
        """Return what a program comes to as a fork, and in an interpreter."""
        environment = _environment({**self._variables, **program.variables})
        self._lay_out(program)
        forked = self._seen(*await self._fork(environment))
        self._lay_out(program)
        return forked, self._seen(*self._interpret(environment))

    def _lay_out(self, program: Program) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        for name, text in {"told.py": program.text, **program.files}.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    async def _fork(self, environment: Mapping[str, str]) -> tuple[int | None, bytes]:
        output = self._folder.with_suffix(".output")
        with output.open("wb") as file:
            run = await self._zygote.fork(Job("told", environment, self._folder), file.fileno())
        await asyncio.wait_for(run.ended.wait(), _SECONDS)
        return run.returncode, output.read_bytes()

    def _interpret(self, environment: Mapping[str, str]) -> tuple[int, bytes]:
        output = self._folder.with_suffix(".output")
        with output.open("wb") as file:
            ended = subprocess.run(
                [sys.executable, "-m", "told"],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                timeout=_SECONDS,
                check=False,
            )
        return ended.returncode, output.read_bytes()

    def _seen(self, code: int | None, output: bytes) -> Seen:
        left = [path for path in sorted(self._folder.rglob("*")) if "__pycache__" not in path.parts]
        files = {str(path.relative_to(self._folder)): _content(path) for path in left if not path.is_dir()}
        return Seen(code, re.sub(_NAMES, "NAME", output.decode(errors="replace")), files)


@contextlib.asynccontextmanager
async def pair_in(
    folder: Path, libraries: Mapping[str, str] | None = None, engine: Sequence[str] = (), **variables: str
) -> AsyncIterator[Pair]:
    """Start a zygote that has imported libraries, given as texts, which lie in a folder that is in PYTHONPATH.

    engine: what it has imported before them. variables: of its environment.
    """
    libraries = libraries or {}
    for name, text in libraries.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    async with Zygote(Preloading(list(libraries), engine), _environment(variables)) as zygote:
        yield Pair(zygote, folder / "work", variables)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    common = {name: value for name, value in os.environ.items() if name.startswith(_AT_START)}
    return {"LANG": "C.UTF-8", **common, **more}


def _content(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
