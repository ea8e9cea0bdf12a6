"""What a run's process needn't ask of its server, because its worker or itself has just been told: read once, not three times.

An answer is given instead of a request only where Prefect's engine would ask again at once, before any code of a flow runs: for
the run's deployment, which its worker has read, and for the run itself, between its workspace and its engine. Where results are
stored by default, a setting of the server, its worker has read too, and a run asks for it once a second at most.
"""

import functools
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import httpx
from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient, PrefectResponse
from prefect.client.orchestration import PrefectClient

from prefect_warm_worker._prefect.related import remember_queue
from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES

_GOOD_FOR = 1.0
"""Seconds that an answer to this process is good for."""
_HANDED_OVER_FOR = 5.0
"""Seconds that an answer to its worker is good for: no longer than a process worker's run takes until it asks for itself."""
STORAGE = "/admin/storage"
HAS_STORAGE = hasattr(PrefectClient, "read_server_default_result_storage")
"""Whether a server says where results are stored by default: since Prefect 3.7."""
_LOGS = "/logs/"


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer 200. asked: when, in seconds of the machine's monotonic clock, which its processes share.

    good_for: how long it may stand for another one, in seconds.
    """

    url: str
    asked: float
    body: str
    good_for: float = _GOOD_FOR

    @property
    def is_fresh(self) -> bool:
        """Whether it may stand for another one."""
        return time.monotonic() - self.asked < self.good_for

    def to(self, request: httpx.Request) -> httpx.Response:
        """Return it as the answer to a request."""
        return PrefectResponse(200, content=self.body, headers={"content-type": "application/json"}, request=request)


class Answers:
    """Answers that this process has been given, by address. One about the run or its deployment stands for one request only."""

    def __init__(self, flow_run: str, handed_over: Iterable[Answer] = ()) -> None:
        """flow_run: the id of the run. handed_over: by its worker."""
        self._known = {answer.url: answer for answer in handed_over}
        self._flow_run: str | None = f"/flow_runs/{flow_run}"

    def find(self, request: httpx.Request) -> httpx.Response | None:
        """Return an answer to a request, if there is one that is good; a request for a change ends what it may concern."""
        url = str(request.url)
        if request.method != "GET":
            self._forget(url)
            return None
        answer = self._known.get(url) if url.endswith(STORAGE) else self._known.pop(url, None)
        return answer.to(request) if answer and answer.is_fresh else None

    def _forget(self, url: str) -> None:
        """Forget what a change may concern: of runs and deployments every one but of logs, of the setting one of its own."""
        if url.endswith(STORAGE):
            self._known.pop(url, None)
        elif not url.endswith(_LOGS):
            self._known = {known: answer for known, answer in self._known.items() if known.endswith(STORAGE)}
            self._flow_run = None

    def note(self, request: httpx.Request, asked: float, response: httpx.Response) -> None:
        """Note what the server answered. asked: when it was asked."""
        url = str(request.url)
        is_run = self._flow_run is not None and url.endswith(self._flow_run)
        if request.method != "GET" or response.status_code != httpx.codes.OK:
            return
        if is_run:
            self._flow_run = None
            remember_queue(response.json())
        if url.endswith(STORAGE) or (is_run and HAS_WORKSPACES):
            self._known[url] = Answer(url, asked, response.text)


def describe_answers(answers: Iterable[Answer]) -> str:
    """Return a worker's answers for a run, as JSON."""
    return json.dumps([asdict(replace(answer, good_for=_HANDED_OVER_FOR)) for answer in answers])


def answer_from(described: str) -> None:
    """Have this process, which is a run's, use what its worker was told. described: by `describe_answers`."""
    global _answers  # noqa: PLW0603  # it is the process's
    _answers = Answers(os.environ["PREFECT__FLOW_RUN_ID"], [Answer(**each) for each in json.loads(described)])


_answers: Answers | None = None


def heed_answers() -> None:
    """Have Prefect's clients in this process and its forks look for an answer before they send a request."""
    of_sync: Any = PrefectHttpxSyncClient
    of_async: Any = PrefectHttpxAsyncClient
    of_sync.send, of_async.send = _heeding(of_sync.send), _heeding_async(of_async.send)


def _heeding(send: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    @functools.wraps(send)
    def heed(self: Any, request: httpx.Request, *args: Any, **kwargs: Any) -> httpx.Response:  # noqa: ANN401  # as it has them
        if _answers is None:
            return send(self, request, *args, **kwargs)
        if (known := _answers.find(request)) is not None:
            return known
        asked = time.monotonic()
        response = send(self, request, *args, **kwargs)
        _answers.note(request, asked, response)
        return response

    return heed


def _heeding_async(send: Callable[..., Awaitable[httpx.Response]]) -> Callable[..., Awaitable[httpx.Response]]:
    @functools.wraps(send)
    async def heed(self: Any, request: httpx.Request, *args: Any, **kwargs: Any) -> httpx.Response:  # noqa: ANN401  # as above
        if _answers is None:
            return await send(self, request, *args, **kwargs)
        if (known := _answers.find(request)) is not None:
            return known
        asked = time.monotonic()
        response = await send(self, request, *args, **kwargs)
        _answers.note(request, asked, response)
        return response

    return heed
