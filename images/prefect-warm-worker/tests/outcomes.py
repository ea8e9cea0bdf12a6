"""What became of a run, without what differs between any two runs: identifiers, paths, times, names made up."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pools import Run

_SAME = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"the-(warm|process)", "WORKER"),
    (r"/(warm|process)(?=/|$|'|\b)", "/KIND"),
    (r"on (warm|process)", "on KIND"),
    (r"work pool '(warm|process)'", "work pool 'KIND'"),
    (r"/tmp/tmp\w+prefect", "TEMPORARY"),  # noqa: S108  # a pattern
    (r"\b\d+(\.\d+)? ?(seconds|second|ms|s)\b", "TIME"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*", "TIME"),
    (r"\b[0-9a-f]{3}\b(?=['\s]|$)", "HEX"),
    (r"(?<=flow run )'[a-z]+-[a-z]+'", "'NAME'"),
    (r"(?<=pid )\d+|(?<=Process )\d+|(?<=process )\d+", "PID"),
    (r"0x[0-9a-f]+", "ADDRESS"),
    (r"prefect-workspace-attempt-\w+", "ATTEMPT"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"(?s)\n +\+ Exception Group Traceback.*", " TRACEBACK"),  # of the worker's own code
)
_DIFFERENT = ("child.pid", "drawn", "facts.json", "held")
"""Files with what is compared otherwise."""


def without_names(text: str) -> str:
    """Replace in a text what is different from run to run."""
    for pattern, word in _SAME:
        text = re.sub(pattern, word, text)
    return text


@dataclass(frozen=True)
class Outcome:
    """What is compared of a run."""

    state: str
    message: str
    logs: list[str]
    """Lines, sorted: threads write them in any order."""
    files: dict[str, str]

    def reworded(self, words: Mapping[str, str], like: str) -> "Outcome":
        """Put a message, where it is of another version, in the words of a message that begins with those."""
        for pattern, word in words.items():
            said = re.sub(pattern, word, self.message)
            if said != self.message and like.startswith(said):
                return replace(self, message=like)
        return self

    def without(self, beginnings: tuple[str, ...]) -> "Outcome":
        """Leave out the log's lines that begin so."""
        return replace(self, logs=[line for line in self.logs if not line.startswith(beginnings)])

    def with_text(self, names: Collection[str], text: str) -> "Outcome":
        """Put a text into files of these names, where they are there."""
        return replace(self, files={name: text if name in names else found for name, found in self.files.items()})

    def without_lines(self, beginnings: Sequence[str]) -> "Outcome":
        """Leave out the log's lines with these beginnings; a line that is missing is added, as one that is missing."""
        logs = list(self.logs)
        for beginning in beginnings:
            found = [line for line in logs if beginning in line]
            logs = [line for line in logs if line not in found] + ([] if found else [f"missing: {beginning}"])
        return replace(self, logs=logs)


def read_outcome(run: Run) -> Outcome:
    """Return what is known of a run now."""
    state = run.read().state
    assert state is not None
    lines = [f"{log.name} {log.level} {without_names(log.message)}" for log in run.logs()]
    return Outcome(
        f"{state.type.name} {state.name}", without_names(state.message or ""), sorted(lines), _files(run.told)
    )


def _files(folder: Path) -> dict[str, str]:
    return {
        path.name: without_names(path.read_text(encoding="utf-8"))
        for path in sorted(folder.iterdir())
        if path.name not in _DIFFERENT
    }


def read_facts(run: Run) -> dict[str, Any]:
    """Return what a flow saw."""
    facts: dict[str, Any] = json.loads(without_names((run.told / "facts.json").read_text(encoding="utf-8")))
    return facts
