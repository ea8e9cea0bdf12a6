"""What a worker says of itself in a file."""

import json
import logging
from pathlib import Path

import pytest

from prefect_warm_worker.contract import REPORTED_RUNS, report_file
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.worker.report import Report


def test_a_report_says_what_is_imported_ahead_and_how_the_last_runs_began(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report, preloading = Report(tmp_path, "a/worker"), Preloading(["frame", "json"])
    preloading.learn({"frame": "it starts a thread (busy)", "frame.core": "it imports frame"}, ["json"])

    with caplog.at_level("INFO"):
        for _ in range(2):
            report.note_preloading(preloading, logging.getLogger("worker"))
    for _ in range(REPORTED_RUNS):
        report.note_run("it has a command of its own")
    for _ in range(REPORTED_RUNS - 1):
        report.note_run()

    assert json.loads((tmp_path / report_file("a/worker")).read_text()) == {
        "preloaded": ["json"],
        "left_out": {"frame": "it starts a thread (busy)"},
        "last_runs": {"it has a command of its own": 1, "fork": REPORTED_RUNS - 1},
    }
    assert [path.name for path in tmp_path.iterdir()] == ["prefect-warm-worker-a%2Fworker.json"]
    assert caplog.messages == [
        "Imported ahead of the flow runs: json.",
        "frame isn't imported ahead of the flow runs: it starts a thread (busy).",
    ]


def test_a_folder_that_is_gone_is_no_hindrance(tmp_path: Path) -> None:
    Report(tmp_path / "gone", "worker").note_run()
    assert list(tmp_path.iterdir()) == []
