"""Whose turn it is to take a flow run that all of a pool's workers hear of."""

from uuid import UUID

from prefect_warm_worker.events import turn_of

WORKERS = ("one", "two", "three", "four")


def test_each_worker_has_a_turn_of_its_own() -> None:
    assert sorted(turn_of(worker, WORKERS, UUID(int=7)) for worker in WORKERS) == [0, 1, 2, 3]


def test_runs_are_spread() -> None:
    firsts = [next(worker for worker in WORKERS if turn_of(worker, WORKERS, UUID(int=run)) == 0) for run in range(400)]
    assert all(60 < firsts.count(worker) < 140 for worker in WORKERS)


def test_a_worker_that_knows_of_no_other_takes_all() -> None:
    assert turn_of("one", ["one"], UUID(int=7)) == 0
