"""The worker as Prefect finds it."""

import pytest
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from prefect_warm_worker.worker import WarmWorker


def test_it_is_found_by_its_type_and_takes_no_other_ones_place() -> None:
    assert BaseWorker.get_worker_class_from_type("warm") is WarmWorker
    assert BaseWorker.get_worker_class_from_type("process") is ProcessWorker


def test_a_setting_that_means_nothing_ends_it_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_WARM_WORKER_GRACE", "soon")
    with pytest.raises(SystemExit, match=r"^Error: PREFECT_WARM_WORKER_GRACE=soon: Input should be a valid number"):
        WarmWorker(work_pool_name="any")
