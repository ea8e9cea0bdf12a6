"""A command that notes how it is called, and does nothing but say what a test wants it to."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """\
#!{python} -ISB
import json, os, pathlib, sys
folder, words = pathlib.Path({folder!r}), sys.argv[1:]
call = dict(words=words, folder=os.getcwd(), environment=dict(os.environ))
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
for wanted, out, err, code in json.loads((folder / "answers").read_text()):
    if wanted in " ".join(words):
        sys.stdout.write(out)
        sys.stdout.flush()
        sys.stderr.write(err)
        sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Called:
    """A call of the command: its words, the folder it was called in, and the environment that it got."""

    words: list[str]
    folder: Path
    environment: dict[str, str]


class Recording:
    """An executable in a folder; it says nothing and exits 0 until it is told otherwise."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: list[tuple[str, str, str, int]] = []
        self.path = folder / "command"
        self.path.write_text(
            _SCRIPT.format(python=os.path.realpath(sys.executable), folder=str(folder)), encoding="utf-8"
        )
        self.path.chmod(0o755)
        self._write()

    def answer(self, words: str, out: str = "", *, err: str = "", code: int = 0) -> None:
        """Say something, and exit with a code, where the command line has some words in it."""
        self._answers.append((words, out, err, code))
        self._write()

    @property
    def calls(self) -> list[Called]:
        """Every call, in order."""
        file = self._folder / "calls"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        found = [json.loads(line) for line in lines]
        return [Called(call["words"], Path(call["folder"]), call["environment"]) for call in found]

    @property
    def lines(self) -> list[str]:
        """The words of every call, in order, as one would type them."""
        return [" ".join(call.words) for call in self.calls]

    def _write(self) -> None:
        (self._folder / "answers").write_text(json.dumps(self._answers), encoding="utf-8")
