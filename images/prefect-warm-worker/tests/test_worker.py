"""The worker as Prefect finds it."""

from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from prefect_warm_worker.worker import WarmWorker


def test_it_is_found_by_its_type_and_takes_no_other_ones_place() -> None:
    assert BaseWorker.get_worker_class_from_type("warm") is WarmWorker
    assert BaseWorker.get_worker_class_from_type("process") is ProcessWorker
