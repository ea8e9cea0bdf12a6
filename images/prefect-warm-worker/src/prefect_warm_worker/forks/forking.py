"""The worker's side of a zygote: it starts one, has it fork, and learns how each run ended, also where the zygote died."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.orphans import adopt_orphans
from prefect_warm_worker.protocol import ZYGOTE_MODULE, Job, Message, receive, send


class ZygoteError(Exception):
    """The zygote can't start, or died while it was asked to fork."""


class Zygote:
    """A zygote, as long as it lives. Use it as an asynchronous context manager."""

    def __init__(
        self, preload: Sequence[str], environment: Mapping[str, str] | None = None, engine: Sequence[str] = ()
    ) -> None:
        """preload: modules that it imports. engine: those before them.

        environment: its own, which nobody but itself can see; None for this process's.
        """
        self._engine = list(engine)
        self._preload, self._environment = list(preload), dict(os.environ if environment is None else environment)
        self._runs: dict[int, ForkedRun] = {}
        self._forking: dict[str, asyncio.Future[ForkedRun]] = {}
        self._is_retired = False
        self._is_gone = False
        self.threads: list[str] = []
        self.sources: set[Path] = set()
        self.failed: dict[str, str] = {}

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can fork."""
        return not self._is_gone and self._channel.fileno() >= 0

    async def __aenter__(self) -> "Zygote":
        """Start it, and wait until everything is imported; raises ZygoteError where it can't."""
        adopt_orphans()  # what a dead zygote leaves becomes this process's child, and its end is known
        self._channel, theirs = socket.socketpair()
        words = [sys.executable, "-m", ZYGOTE_MODULE, str(theirs.fileno())]
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *words, pass_fds=[theirs.fileno()], stdin=asyncio.subprocess.DEVNULL
            )
        loop = asyncio.get_running_loop()
        try:
            wanted = {"engine": self._engine, "preload": self._preload, "environment": self._environment}
            send(self._channel, wanted)
            ready, _ = await loop.run_in_executor(None, receive, self._channel)
        except (EOFError, OSError) as error:
            self._channel.close()
            raise ZygoteError(f"the zygote ended with code {await self._process.wait()} before it was ready") from error
        self.threads, self.failed = ready["threads"], ready["failed"]
        self.sources = {Path(file) for file in ready["sources"]}
        loop.add_reader(self._channel, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let it go; runs that go on are not ended."""
        self._close()
        await self._process.wait()

    def retire(self) -> None:
        """Let it go once the runs that it forked have ended."""
        self._is_retired = True
        self._leave()

    async def fork(self, job: Job, output: int) -> ForkedRun:
        """Fork a run that writes to a descriptor; raises ZygoteError where the zygote died."""
        id_ = uuid4().hex
        forked: asyncio.Future[ForkedRun] = asyncio.get_running_loop().create_future()
        self._forking[id_] = forked
        try:
            send(self._channel, job.to_message(id_), output)
        except OSError as error:
            del self._forking[id_]
            self._is_gone = True  # what it said before is still to be read
            raise ZygoteError("the zygote is gone") from error
        return await forked

    def _read(self) -> None:
        try:
            message, _ = receive(self._channel)
        except (EOFError, OSError):
            self._die()
            return
        self._note(message)

    def _note(self, message: Message) -> None:
        match message:
            case {"started": id_, "pid": pid}:
                run = self._runs[pid] = ForkedRun(pid)
                forked = self._forking.pop(id_)
                if not forked.done():
                    forked.set_result(run)
            case {"ended": pid, "status": status} if pid in self._runs:
                self._runs.pop(pid).end(status)
                self._leave()

    def _leave(self) -> None:
        if self._is_retired and not self._runs and not self._forking:
            self._close()

    def _die(self) -> None:
        """What it was asked to fork fails; the runs that it forked are this process's children now."""
        self._close()
        for forked in self._forking.values():
            if not forked.done():
                forked.set_exception(ZygoteError("the zygote died"))
        self._forking.clear()
        for run in self._runs.values():
            run.watch()
        self._runs.clear()

    def _close(self) -> None:
        if self._channel.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()
