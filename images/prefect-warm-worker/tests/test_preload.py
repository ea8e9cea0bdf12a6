"""What is imported ahead of the runs: others' libraries that the flows import, and nothing of the flows themselves."""

from pathlib import Path

from prefect_warm_worker.forks.preload import find_flows, find_libraries

FLOW = """\
import os
import pandas as pd
import xml.etree.ElementTree
from sqlalchemy.orm import Session
from helpers import clean
from . import sibling

def load():
    import numpy
"""


def test_libraries_of_others_are_found_and_the_flows_own_modules_are_not(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "load.py").write_text(FLOW)
    (tmp_path / "flows" / "helpers.py").write_text("import httpx\n")

    assert find_libraries(tmp_path, find_flows(tmp_path)) == ["httpx", "pandas", "sqlalchemy.orm"]


def test_a_file_that_is_not_python_is_left_to_its_run(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (")

    assert find_libraries(tmp_path, find_flows(tmp_path)) == []


def test_hidden_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "library.py").write_text("import pandas\n")

    assert find_libraries(tmp_path, find_flows(tmp_path)) == []
