"""Only what Prefect runs by itself is replaced by a fork; what a job names is run to the letter."""

import sys
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun

from pools import version
from prefect_warm_worker.worker.configuration import WarmJobConfiguration


@pytest.mark.parametrize(
    ("command", "is_own"),
    [
        (None, False),
        ("my own command", True),
        ("python -m prefect.engine", version() >= (3, 8)),
        ("nice python -m prefect.engine", True),
        ("/other/python -X dev -m prefect.engine", True),
        (f"{sys.executable} -O -m prefect.engine", True),
    ],
)
def test_a_job_that_names_a_command_has_its_own(command: str | None, *, is_own: bool) -> None:
    configuration = WarmJobConfiguration(command=command)
    configuration.prepare_for_flow_run(FlowRun(flow_id=uuid4()))
    assert configuration.has_own_command is is_own
