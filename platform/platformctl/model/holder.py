"""Who holds a platform's lock: kept with the lock, so that whoever waits can say for whom."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self


@dataclass(frozen=True, slots=True)
class Holder:
    """A command that changes a platform, and the process that runs it.

    machine: where `pid` means something; empty where that isn't known. started: what tells the process from a later one
    with the same pid.
    """

    id: str
    command: str
    user: str
    host: str
    machine: str
    pid: int
    started: str
    since: datetime

    def is_same_process(self, other: "Holder") -> bool:
        """Whether one process holds both."""
        return (self.machine, self.pid, self.started) == (other.machine, other.pid, other.started)

    def to_json(self) -> str:
        """Return it as one line of JSON, which `from_json` reads."""
        return json.dumps({**asdict(self), "since": self.since.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` returned; what isn't that gives a holder of whom nothing is known."""
        try:
            found = json.loads(text)
            words = {name: str(found[name]) for name in ("id", "command", "user", "host", "machine", "started")}
            return cls(**words, pid=int(found["pid"]), since=datetime.fromisoformat(found["since"]))
        except (ValueError, TypeError, KeyError):
            return cls("", "another command", "", "", "", 0, "", datetime.fromtimestamp(0, UTC))

    def __str__(self) -> str:
        where = f"{self.user}@{self.host}, process {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"
        return f"`{self.command}` ({where})" if self.machine else self.command
