"""Answers as a server gave them, and a note of what it was asked: what an adapter says on the wire."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. line: method and path. query: its parameters. body: its JSON, None where it has none."""

    line: str
    query: Mapping[str, str]
    body: Any  # whatever JSON has
    headers: Mapping[str, str]


class Recorded:
    """A server on this machine that gives recorded answers, and 404 where it has none."""

    def __init__(self, server: HTTPServer) -> None:
        """server: one that answers nothing yet."""
        self.asked: list[Asked] = []
        self.address = server.url_for("").rstrip("/")
        self._answers: defaultdict[str, list[Response]] = defaultdict(list)
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def answer(self, line: str, body: object = None, *, status: int = 200) -> None:
        """Give an answer to a request such as `GET /api/ready`; of several the last one is given for ever.

        body: text as it is, bytes as they are, all else as JSON.
        """
        content = body if isinstance(body, (str, bytes)) else json.dumps(body)
        kind = "text/plain" if isinstance(body, (str, bytes)) else "application/json"
        self._answers[line].append(Response(content, status=status, content_type=kind))

    def bodies(self, line: str) -> list[Any]:
        """Return the bodies of all requests of a method and path, in order."""
        return [asked.body for asked in self.asked if asked.line == line]

    @property
    def lines(self) -> list[str]:
        """The method and path of each request, in order."""
        return [asked.line for asked in self.asked]

    def _answer(self, request: Request) -> Response:
        line, content = f"{request.method} {request.path}", request.get_data()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(line, request.args.to_dict(), json.loads(content) if content else None, headers))
        held = self._answers.get(line)
        if not held:
            said = f"{line} is not recorded"
            return Response(json.dumps({"detail": said, "message": said}), 404, content_type="application/json")
        return held.pop(0) if len(held) > 1 else held[0]
