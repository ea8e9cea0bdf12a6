"""The lock: one command at a time, and the one that waits says for whom."""

from dataclasses import replace

import pytest

from platformctl.adapters.holders import this_process
from platformctl.errors import LockedError
from platformctl.model.holder import Holder
from platformctl.runtimes.fake_keeper import FakeKeeper
from platformctl.state.lock import hold_lock


def elsewhere(command: str, host: str = "build-7") -> Holder:
    """A holder on another machine: nobody here knows whether it still runs."""
    return replace(this_process(command), user="ana", host=host, machine=host, pid=77)


def test_the_second_says_who_holds_the_lock_and_gives_up_in_the_end() -> None:
    keeper, told = FakeKeeper(holder=elsewhere("platformctl up")), list[str]()
    with (
        pytest.raises(
            LockedError, match=r"After 0 s .* by `platformctl up` \(ana@build-7, process 77, since"
        ) as caught,
        hold_lock(keeper, "platformctl scale", waiting=told.append, warn=pytest.fail, patience=0),
    ):
        pytest.fail("two held the lock")

    assert caught.value.remedy == "Forget build-7."
    assert [text.partition(" (")[0] for text in told] == ["Waiting for `platformctl up`"]


def test_the_second_goes_on_when_the_first_is_done() -> None:
    first = elsewhere("platformctl up")
    keeper = FakeKeeper(holder=first)
    with hold_lock(keeper, "platformctl scale", waiting=lambda _: keeper.release(first), warn=pytest.fail):
        assert keeper.holder is not None
        assert keeper.holder.command == "platformctl scale"
    assert keeper.holder is None


def test_one_that_waits_says_so_again_when_another_one_was_faster() -> None:
    keeper, told = FakeKeeper(holder=elsewhere("platformctl up")), list[str]()
    others = [None, elsewhere("platformctl down", "laptop")]

    def tell(text: str) -> None:
        told.append(text)
        keeper.holder = others.pop()

    with hold_lock(keeper, "platformctl scale", waiting=tell, warn=pytest.fail):
        pass
    assert [text.partition(" (")[0] for text in told] == [
        "Waiting for `platformctl up`",
        "Waiting for `platformctl down`",
    ]


def test_the_lock_of_a_command_that_was_cut_off_is_taken_over_at_once_and_that_is_said() -> None:
    cut_off = replace(this_process("platformctl up"), started="before this process")
    keeper, told = FakeKeeper(holder=cut_off), list[str]()
    with hold_lock(keeper, "platformctl scale", waiting=pytest.fail, warn=told.append, patience=0):
        pass

    assert told == [f"{cut_off} did not finish. This command takes over its lock."]


def test_a_process_that_holds_the_lock_may_not_wait_for_itself() -> None:
    keeper, told = FakeKeeper(), list[str]()
    with hold_lock(keeper, "platformctl up", waiting=told.append, warn=told.append):
        with (
            pytest.raises(RuntimeError, match="is this process, which wants the lock again for `platformctl scale`"),
            hold_lock(keeper, "platformctl scale", waiting=told.append, warn=told.append),
        ):
            pytest.fail("it had the lock twice")
        assert keeper.holder is not None
    assert not told


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_ends_a_command_gives_the_lock_back(error: type[BaseException]) -> None:
    keeper = FakeKeeper()
    with pytest.raises(error), hold_lock(keeper, "platformctl up", waiting=print, warn=print):
        raise error

    assert keeper.holder is None
