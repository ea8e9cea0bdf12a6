"""Marks of drains."""

from platformctl.runtimes.fake_keeper import FakeKeeper
from platformctl.state.drain_marks import drained_pools, mark_drain, unmark_drain


def test_a_mark_stays_until_its_pool_goes_on() -> None:
    keeper = FakeKeeper({"journal": b""})
    mark_drain(keeper, "prod")
    mark_drain(keeper, "dev")
    mark_drain(keeper, "dev")

    assert drained_pools(keeper) == ("dev", "prod")
    unmark_drain(keeper, "dev")
    unmark_drain(keeper, "dev")
    assert drained_pools(keeper) == ("prod",)
