"""Runs of a zygote without Prefect, which execute what they are told."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.forking import Zygote
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.protocol import Job


class Runs:
    """Runs of a zygote that execute the text of a module."""

    def __init__(self, zygote: Zygote, folder: Path) -> None:
        self.zygote, self.folder = zygote, folder
        self._numbers = itertools.count()

    async def begin(self, text: str, **environment: str) -> tuple[ForkedRun, int]:
        """Fork a run of a text; returns it and the descriptor of what it writes."""
        module = f"told_{next(self._numbers)}"  # its own: another run may not have read its text yet
        (self.folder / f"{module}.py").write_text(text, encoding="utf-8")
        reader, writer = os.pipe()
        try:
            run = await self.zygote.fork(Job(module, {**common_variables(), **environment}, self.folder), writer)
        finally:
            os.close(writer)
        return run, reader

    async def __call__(self, text: str, **environment: str) -> tuple[int, str]:
        """Fork a run of a text to its end; returns its code and what it wrote."""
        run, reader = await self.begin(text, **environment)
        with os.fdopen(reader, encoding="utf-8") as output:
            said = await asyncio.get_running_loop().run_in_executor(None, output.read)
        await asyncio.wait_for(run.ended.wait(), 30)
        assert run.returncode is not None
        return run.returncode, said


def common_variables() -> dict[str, str]:
    """Return the variables that a zygote and its runs have in common."""
    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "PYTHONUNBUFFERED") if name in os.environ}


@asynccontextmanager
async def runs_in(folder: Path, *preload: str) -> AsyncIterator[Runs]:
    async with Zygote(Preloading(preload), common_variables()) as zygote:
        yield Runs(zygote, folder)
