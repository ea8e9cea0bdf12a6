"""What worker and platform both know: it needs nothing but Python, and the worker does as it says."""

import subprocess
import sys
from pathlib import Path

import pytest

from prefect_warm_worker.contract import STOP_MARGIN_SECONDS, LostRunOutcome, OnStop, Variable, decide_lost_run
from prefect_warm_worker.worker.settings import Settings

_LOADED = """
import sys
before = set(sys.modules)
import {module}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(sorted(loaded - set(sys.stdlib_module_names)))
"""


@pytest.mark.parametrize("module", ["prefect_warm_worker", "prefect_warm_worker.contract"])
def test_a_platform_imports_it_without_any_library(module: str) -> None:
    command = [sys.executable, "-c", _LOADED.format(module=module)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "['prefect_warm_worker']\n"


def test_the_worker_reads_the_variables_that_it_names() -> None:
    prefix = Settings.model_config["env_prefix"]
    assert {variable.value for variable in Variable} == {f"{prefix}{name.upper()}" for name in Settings.model_fields}


def test_readme_names_every_variable_and_how_long_to_wait() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert [variable.value for variable in Variable if f"| `{variable.value}` |" not in text] == []
    assert f"should wait {STOP_MARGIN_SECONDS} seconds longer" in text


@pytest.mark.parametrize(
    ("state_type", "on_stop", "outcome"),
    [
        ("PENDING", "finish", LostRunOutcome.REQUEUE),
        ("PENDING", "reschedule", LostRunOutcome.REQUEUE),
        ("RUNNING", "finish", LostRunOutcome.CRASH),
        ("RUNNING", "reschedule", LostRunOutcome.REQUEUE),
        ("CANCELLING", "finish", LostRunOutcome.CANCEL),
        ("CANCELLING", "reschedule", LostRunOutcome.CANCEL),
        ("SCHEDULED", "finish", LostRunOutcome.REQUEUE),
    ],
)
def test_a_lost_run_is_settled_by_its_state_and_its_pool(
    state_type: str, on_stop: OnStop, outcome: LostRunOutcome
) -> None:
    assert decide_lost_run(state_type, on_stop) is outcome


@pytest.mark.parametrize("state_type", ["COMPLETED", "PAUSED"])
def test_a_run_that_no_worker_has_is_not_settled(state_type: str) -> None:
    with pytest.raises(ValueError, match=state_type):
        decide_lost_run(state_type, "finish")
