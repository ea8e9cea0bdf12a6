"""What a worker says of itself in a file, for its platform: what is imported ahead, what isn't and why, how runs began."""

import json
import logging
import tempfile
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect_warm_worker.contract import FORKED, REPORTED_RUNS, ReportField, report_file
from prefect_warm_worker.forks.preloading import Preloading


class Report:
    """One worker's report, written anew whenever it changes."""

    def __init__(self, folder: Path | None, name: str) -> None:
        """folder: where it is written; None for among the system's temporary files. name: the worker's."""
        self.path = (folder or Path(tempfile.gettempdir())) / report_file(name)
        self._preloaded: Sequence[str] = ()
        self._left_out: Mapping[str, str] = {}
        self._runs: deque[str] = deque(maxlen=REPORTED_RUNS)

    def note_preloading(
        self, preloading: Preloading, log: "logging.Logger | logging.LoggerAdapter[logging.Logger]"
    ) -> None:
        """Note what a zygote has imported; what is new stands in the worker's log, too."""
        found = preloading.preloaded, preloading.failed
        if found == (self._preloaded, self._left_out):
            return
        self._preloaded, self._left_out = found
        log.info("Imported ahead of the flow runs: %s.", ", ".join(self._preloaded) or "nothing but Prefect")
        for name, reason in self._left_out.items():
            log.warning("%s isn't imported ahead of the flow runs: %s.", name, reason)
        self._write()

    def note_run(self, reason: str | None = None) -> None:
        """Note how a run began: as a fork, or as a new process for a reason."""
        self._runs.append(reason or FORKED)
        self._write()

    def _write(self) -> None:
        fields = {
            ReportField.PRELOADED.value: list(self._preloaded),
            ReportField.LEFT_OUT.value: dict(self._left_out),
            ReportField.LAST_RUNS.value: dict(Counter(self._runs)),
        }
        unfinished = self.path.with_suffix(".new")
        try:
            unfinished.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
            unfinished.replace(self.path)
        except OSError:
            return  # a full disk or a folder that is gone is no reason to run nothing
