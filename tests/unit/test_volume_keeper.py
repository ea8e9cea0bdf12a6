"""The lock as volumes, where others come in between two requests."""

from dataclasses import replace

from kept_volumes import MemoryVolumes
from platformctl.adapters.holders import this_process
from platformctl.model.holder import Holder
from platformctl.runtimes.docker.keeper import VolumeKeeper


def dead() -> Holder:
    return replace(this_process("platformctl up"), started="before this process")


def elsewhere() -> Holder:
    return replace(this_process("platformctl up"), host="build-7", machine="build-7")


def test_who_comes_too_late_for_the_place_behind_a_dead_holder_does_not_hold_the_lock() -> None:
    first, fast, third = dead(), this_process("fast"), this_process("third")
    late = this_process("late")
    volumes = MemoryVolumes()
    keeper = VolumeKeeper(volumes, "acme")
    keeper.acquire(first)

    def others_come_between(request: str) -> None:
        """The place is taken, given back with the dead one's, and a third takes the lock: all after `late` has looked."""
        if request == f"create acme_lock_{first.id}":
            volumes.before = lambda _: None
            assert keeper.acquire(fast).holder is None
            keeper.release(fast)
            assert keeper.acquire(third).holder is None

    volumes.before = others_come_between
    assert keeper.acquire(late).holder == third
    assert list(volumes.volumes) == ["acme_lock"]


def test_one_that_took_over_and_was_killed_too_has_a_successor() -> None:
    volumes, first, second, last = MemoryVolumes(), dead(), dead(), this_process("platformctl down")
    keeper = VolumeKeeper(volumes, "acme")
    keeper.acquire(first)
    volumes.create_state("acme", f"acme_lock_{first.id}", {"io.platformctl.holder": second.to_json()})
    attempt = keeper.acquire(last)

    assert (attempt.holder, attempt.cut_off) == (None, (first, second))
    keeper.release(last)
    assert not volumes.volumes


def test_another_machine_sees_who_took_over_from_a_holder_of_whom_it_knows_nothing() -> None:
    volumes, far, heir = MemoryVolumes(), elsewhere(), elsewhere()
    keeper = VolumeKeeper(volumes, "acme")
    keeper.acquire(far)
    labels = {"io.platformctl.holder": heir.to_json()}
    volumes.create_state("acme", f"acme_lock_{far.id}", labels)

    assert keeper.acquire(this_process("platformctl scale")).holder == heir
    keeper.release(heir)
    assert keeper.acquire(this_process("platformctl scale")).holder is None


def test_what_was_left_of_a_release_that_was_cut_off_is_in_nobodys_way() -> None:
    volumes, first, heir, next_ = MemoryVolumes(), dead(), this_process("heir"), this_process("next")
    keeper = VolumeKeeper(volumes, "acme")
    keeper.acquire(first)
    keeper.acquire(heir)
    volumes.remove_state_volume("acme_lock")

    assert keeper.acquire(next_).holder is None
    keeper.release(next_)
    assert not volumes.volumes


def test_an_operator_takes_the_lock_away_and_its_former_holder_leaves_the_new_one_alone() -> None:
    volumes, far, ours = MemoryVolumes(), elsewhere(), this_process("platformctl up")
    keeper = VolumeKeeper(volumes, "acme")
    keeper.acquire(far)
    assert keeper.how_to_free(far).endswith("`docker volume rm acme_lock`.")
    volumes.remove_state_volume("acme_lock")

    assert keeper.acquire(ours).holder is None
    keeper.release(far)
    assert keeper.acquire(this_process("platformctl scale")).holder == ours


def test_a_version_that_an_interrupted_write_left_counts_no_more_than_the_newest() -> None:
    volumes = MemoryVolumes()
    keeper = VolumeKeeper(volumes, "acme")
    keeper.write("journal", b"one")
    left = dict(volumes.volumes)
    keeper.write("journal", b"two")
    volumes.volumes |= left

    assert keeper.read("journal") == b"two"
    keeper.write("journal", b"three")
    assert keeper.read("journal") == b"three"
    assert len(volumes.volumes) == 1


def test_two_that_write_at_once_lose_nothing_but_the_older_content() -> None:
    volumes = MemoryVolumes()
    keeper = VolumeKeeper(volumes, "acme")

    def another_writes(request: str) -> None:
        if request.startswith("create"):
            volumes.before = lambda _: None
            keeper.write("journal", b"theirs")

    volumes.before = another_writes
    keeper.write("journal", b"ours")
    assert keeper.read("journal") == b"ours"
