"""The job template of a pool of warm workers is the one that they have themselves: Prefect's server doesn't know the type."""

import json
from pathlib import Path

from golden_check import Golden
from prefect_warm_worker.worker.warm import WarmWorker

TEMPLATE = Path(__file__).parents[2] / "templates" / "pools" / "warm.json"


def test_the_template_of_a_warm_pool_is_its_workers_own(golden: Golden) -> None:
    template = WarmWorker.get_default_base_job_template()

    golden(TEMPLATE, f"{json.dumps(template, indent=2)}\n".encode())
