"""What each runtime's keeper does alike: in memory, in a folder, and as volumes of an engine, a real one among them."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engines import real_engine
from kept_volumes import MemoryVolumes
from platformctl.adapters.holders import this_process
from platformctl.model.holder import Holder
from platformctl.runtimes.docker.keeper import VolumeKeeper
from platformctl.runtimes.fake_keeper import FakeKeeper
from platformctl.runtimes.keeper import Keeper
from platformctl.runtimes.local.keeper import FolderKeeper


@dataclass(frozen=True)
class Kept:
    """Where a platform's state is kept. open: gives an operator's view of it. die: leaves what a killed holder leaves."""

    open: Callable[[], Keeper]
    die: Callable[[Holder], object]


@pytest.fixture(params=["memory", "folder", "volumes", pytest.param("engine", marks=pytest.mark.engine)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """What keeps nothing yet."""
    makers = {"memory": _memory, "folder": lambda: _folder(tmp_path / "kept"), "volumes": _volumes}
    if request.param in makers:
        yield makers[request.param]()
        return
    engine, name = real_engine(), f"t{uuid.uuid4().hex[:6]}"
    yield Kept(lambda: VolumeKeeper(engine, name), VolumeKeeper(engine, name).acquire)
    for volume in engine.state_volumes(name):
        engine.remove_state_volume(volume)


def _memory() -> Kept:
    keeper = FakeKeeper()
    return Kept(lambda: keeper, keeper.acquire)


def _folder(folder: Path) -> Kept:
    def die(holder: Holder) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "holder.json").write_text(holder.to_json())

    return Kept(lambda: FolderKeeper(folder), die)


def _volumes() -> Kept:
    volumes = MemoryVolumes()
    return Kept(lambda: VolumeKeeper(volumes, "acme"), VolumeKeeper(volumes, "acme").acquire)


def dead(command: str) -> Holder:
    """A holder on this machine whose process has ended: its pid is another one's."""
    return replace(this_process(command), started="long ago")


def test_nothing_is_kept_at_first(kept: Kept) -> None:
    keeper = kept.open()

    assert keeper.read("drains/prod") is None
    assert keeper.names() == ()
    keeper.remove("drains/prod")
    keeper.clear()


def test_what_one_operator_writes_the_other_reads(kept: Kept) -> None:
    kept.open().write("journal/upgrade", b"\x00first\n")
    kept.open().write("drains/prod", b"")

    assert kept.open().read("journal/upgrade") == b"\x00first\n"
    assert kept.open().read("drains/prod") == b""
    assert kept.open().names() == ("drains/prod", "journal/upgrade")
    assert kept.open().names("drains/") == ("drains/prod",)


def test_an_entry_takes_the_place_of_the_one_before_it(kept: Kept) -> None:
    for content in (b"one", b"two", b"two", b"three"):
        kept.open().write("journal", content)

    assert kept.open().read("journal") == b"three"
    assert kept.open().names() == ("journal",)


def test_an_entry_may_be_as_large_as_a_journal_gets(kept: Kept) -> None:
    content = os.urandom(500_000)
    kept.open().write("journal", content)

    assert kept.open().read("journal") == content


def test_what_is_removed_is_gone_and_may_come_back(kept: Kept) -> None:
    keeper = kept.open()
    keeper.write("drains/prod", b"1")
    keeper.write("drains/dev", b"2")
    keeper.remove("drains/prod")

    assert keeper.read("drains/prod") is None
    assert keeper.names() == ("drains/dev",)
    keeper.write("drains/prod", b"3")
    assert keeper.read("drains/prod") == b"3"


def test_clearing_removes_every_entry_and_leaves_the_lock(kept: Kept) -> None:
    keeper, holder = kept.open(), this_process("platformctl down")
    keeper.acquire(holder)
    keeper.write("drains/prod", b"")
    keeper.write("journal", b"x")
    keeper.clear()

    assert keeper.names() == ()
    assert kept.open().acquire(this_process("platformctl up")).holder == holder
    keeper.release(holder)


def test_the_second_is_told_who_has_the_lock(kept: Kept) -> None:
    first, second = this_process("platformctl up"), this_process("platformctl scale")
    keeper = kept.open()

    assert keeper.acquire(first).holder is None
    attempt = kept.open().acquire(second)
    assert (attempt.holder, attempt.cut_off) == (first, ())
    keeper.release(first)
    attempt = kept.open().acquire(second)
    assert (attempt.holder, attempt.cut_off) == (None, ())


def test_only_its_holder_gives_the_lock_back(kept: Kept) -> None:
    first, keeper = this_process("platformctl up"), kept.open()
    keeper.acquire(first)
    kept.open().release(this_process("platformctl scale"))

    assert kept.open().acquire(this_process("platformctl down")).holder == first
    keeper.release(first)
    keeper.release(first)


def test_the_lock_of_a_process_that_ended_is_taken_over_and_its_command_named(kept: Kept) -> None:
    kept.die(dead("platformctl up"))
    heir, keeper = this_process("platformctl down"), kept.open()
    attempt = keeper.acquire(heir)

    assert attempt.holder is None
    assert [holder.command for holder in attempt.cut_off] == ["platformctl up"]
    assert kept.open().acquire(this_process("platformctl scale")).holder == heir
    keeper.release(heir)
    attempt = kept.open().acquire(this_process("platformctl scale"))
    assert (attempt.holder, attempt.cut_off) == (None, ())


def test_of_many_at_once_one_takes_the_lock(kept: Kept) -> None:
    for _ in range(5):
        _race(kept, cut_off=0)


def test_of_many_at_once_one_takes_over_the_lock_of_a_process_that_ended(kept: Kept) -> None:
    for _ in range(5):
        kept.die(dead("platformctl up"))
        _race(kept, cut_off=1)


def _race(kept: Kept, *, cut_off: int) -> None:
    """Have many reach for the lock; one must get it, and all others be told of that one."""

    def reach(number: int) -> tuple[Keeper, Holder, bool, int]:
        keeper, holder = kept.open(), this_process(f"command {number}")
        attempt = keeper.acquire(holder)
        return keeper, holder, attempt.holder is None, len(attempt.cut_off)

    with ThreadPoolExecutor(10) as pool:
        winners = [(keeper, holder, found) for keeper, holder, won, found in pool.map(reach, range(20)) if won]
    assert len(winners) == 1
    keeper, holder, found = winners[0]
    assert found == cut_off
    keeper.release(holder)


def test_a_holder_is_read_as_it_was_written() -> None:
    holder = this_process("platformctl up")

    assert Holder.from_json(holder.to_json()) == holder


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", json.dumps({"id": "x", "pid": "none"})])
def test_what_is_no_holder_is_somebody_unknown(text: str) -> None:
    assert str(Holder.from_json(text)) == "another command"
