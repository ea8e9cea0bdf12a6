"""The worker's side of a zygote: it starts one, has it fork, and learns how each run ended, also where the zygote died."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from uuid import uuid4

from prefect_warm_worker.forks.forked_run import ForkedRun
from prefect_warm_worker.forks.preloading import MOST_ATTEMPTS, Attempt, Preloading
from prefect_warm_worker.orphans import adopt_orphans
from prefect_warm_worker.protocol import SIGNALLED, ZYGOTE_MODULE, Job, Message, receive, send
from prefect_warm_worker.snapshots import Snapshot
from prefect_warm_worker.variables import Reads, find_changed

_HIDDEN = "PREFECT_"
"""How the variables begin that a zygote is told, and not started with for others to see: passwords are among them."""


class ZygoteError(Exception):
    """The zygote can't start, or died while it was asked to fork."""


class Zygote:
    """A zygote, as long as it lives. Use it as an asynchronous context manager."""

    def __init__(self, preloading: Preloading, environment: Mapping[str, str] | None = None) -> None:
        """preloading: what it imports. environment: its own; None for this process's."""
        self.preloading, self._environment = preloading, dict(os.environ if environment is None else environment)
        self._hidden = {name: value for name, value in self._environment.items() if name.startswith(_HIDDEN)}
        self._shown = {name: value for name, value in self._environment.items() if name not in self._hidden}
        self._runs: dict[int, ForkedRun] = {}
        self._forking: dict[str, asyncio.Future[ForkedRun]] = {}
        self._is_retired = False
        self._is_gone = False
        self.sources: Snapshot = {}
        self.reads = Reads()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can fork."""
        return not self._is_gone and self._channel.fileno() >= 0

    @property
    def is_idle(self) -> bool:
        """Whether none of its forks is there."""
        return not self._runs and not self._forking

    async def __aenter__(self) -> "Zygote":
        """Start it, and wait until everything is imported that can be; raises ZygoteError where it can't start."""
        adopt_orphans()  # what a dead zygote leaves becomes this process's child, and its end is known
        for _ in range(MOST_ATTEMPTS):
            if await self._start():
                break
        else:
            raise ZygoteError(f"the zygote can't start: {MOST_ATTEMPTS} attempts at importing have failed")
        self._process.watch()
        asyncio.get_running_loop().add_reader(self._channel, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let it go; runs that go on are not ended."""
        self._close()
        await self._process.ended.wait()

    async def _start(self) -> bool:
        """Start a process; returns whether all is imported there, or else another one can do better."""
        self._channel, theirs = socket.socketpair()
        words = [sys.executable, "-m", ZYGOTE_MODULE, str(theirs.fileno())]
        with theirs:
            guardian = await asyncio.create_subprocess_exec(
                *words, pass_fds=[theirs.fileno()], stdin=asyncio.subprocess.DEVNULL, env=self._shown, cwd="/"
            )
        attempt = Attempt(self.preloading)
        hearing = asyncio.get_running_loop().run_in_executor(None, self._hear, attempt)
        try:
            await asyncio.shield(hearing)
        except (EOFError, OSError) as error:
            self._channel.close()
            how = _ending(await guardian.wait(), error)
            if not attempt.give_up(how):
                raise ZygoteError(f"the zygote can't start: {how}") from error
        except asyncio.CancelledError:
            hearing.add_done_callback(lambda heard: heard.exception())  # which nobody else will ask for
            self._channel.shutdown(socket.SHUT_RDWR)  # so that nobody waits for it any more
            await guardian.wait()
            raise
        await guardian.wait()  # the zygote is this process's child now
        return attempt.pid is not None

    def _hear(self, attempt: Attempt) -> None:
        """Ask for the imports, and hear of them until they are through; raises EOFError or OSError where they never are."""
        send(self._channel, {**self.preloading.request, "environment": self._hidden})
        while not attempt.is_through:
            self._channel.settimeout(max(attempt.seconds_left(), 0.001))
            attempt.note(receive(self._channel)[0])
        self._channel.settimeout(None)
        if attempt.pid is not None:
            self._process, self.sources, self.reads = ForkedRun(attempt.pid), attempt.sources, attempt.reads

    def find_changed(self, environment: Mapping[str, str]) -> list[str]:
        """Return the variables in which an environment differs from its own."""
        return find_changed(self._environment, environment)

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


def _ending(code: int, error: Exception) -> str:
    """Say how a zygote came to its end before it was ready. code: its guardian's. error: what was heard of it."""
    if isinstance(error, TimeoutError):
        return "its import took too long"
    if code > SIGNALLED:
        return f"its import was ended by {signal.Signals(code - SIGNALLED).name}"
    return f"its import ended the process with code {code}"
