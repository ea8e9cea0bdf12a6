"""Which runs can't be forks."""

import pytest

from prefect_warm_worker.worker.new_process import needs_new_process


@pytest.mark.parametrize(
    ("command", "wanted", "reason"),
    [
        (None, {"LANG": "C"}, None),
        ("python -m prefect.engine", {"LANG": "C", "COLOUR": "red", "PYTHONPATH": "/flows"}, None),
        ("my own command", {"LANG": "C"}, "it has a command of its own"),
        (None, {"LANG": "C", "OMP_NUM_THREADS": "2"}, "OMP_NUM_THREADS would be read too late"),
        (None, {"LANG": None, "PYTHONHASHSEED": "1"}, "LANG, PYTHONHASHSEED would be read too late"),
    ],
)
def test_a_run_that_only_a_new_process_can_be_says_why(
    command: str | None, wanted: dict[str, str | None], reason: str | None
) -> None:
    assert needs_new_process(command, wanted, {"LANG": "C", "HOME": "/"}) == reason
