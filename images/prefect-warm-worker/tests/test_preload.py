"""What is imported ahead of the runs: others' libraries that the flows import, and nothing of the flows themselves."""

from pathlib import Path

import pytest

from prefect_warm_worker.forks.preload import find_flows, find_late, find_libraries

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


@pytest.mark.parametrize(
    "sets",
    [
        "os.environ['OMP_NUM_THREADS'] = '1'",
        "environ.setdefault('OMP_NUM_THREADS', '1')",
        "if True:\n    os.environ.update(A='b')",
        "del os.environ['A']",
        "os.putenv('A', 'b')",
        "load_dotenv()",
        "dotenv.load_dotenv('.env')",
    ],
)
def test_what_is_imported_after_variables_were_set_is_late(tmp_path: Path, sets: str) -> None:
    (tmp_path / "flow.py").write_text(f"import os\nimport httpx\n{sets}\nimport numpy\nfrom sklearn.svm import SVC\n")
    (tmp_path / "other.py").write_text("import numpy, rich\n")

    late = find_late(find_flows(tmp_path))

    assert late == dict.fromkeys(["numpy", "sklearn", "sklearn.svm"], "flow.py sets variables before it imports it")


@pytest.mark.parametrize(
    "reads", ["os.environ.get('A')", "def load():\n    os.environ['A'] = 'b'", "A = os.environ['A']"]
)
def test_what_reads_variables_or_sets_them_later_makes_nothing_late(tmp_path: Path, reads: str) -> None:
    (tmp_path / "flow.py").write_text(f"import os\n{reads}\nimport numpy\n")

    assert find_late(find_flows(tmp_path)) == {}
