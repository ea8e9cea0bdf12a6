"""Forks against new interpreters, with drawn programs; `make compare-drawn` draws many."""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, example, given, note, seed, settings

from drawn import DOES, ENDS, LEAVES, LIBRARIES, LOOKS, SHADOWS, UNSAFE, Case, case_of, cases, named
from interpreters import Seen, differences, pair_in

SEED, DRAWN = (int(os.environ.get(f"PLATFORMCTL_{name}", wanted)) for name, wanted in (("SEED", 1), ("DRAWN", 8)))
"""What is drawn, and how many of it."""
NOT_YET = {
    "has its own generator",
    "knows its process",
    "registers an exit handler",
    "filters warnings",
    "sets a variable",
}
"""The kinds of which it is known that a fork differs; each goes from here with what mends it."""
MENDED = [
    case_of([], [], [*named(LEAVES, "an open file in a library"), *named(ENDS, "interrupted")], {}),
    case_of([], [], [LOOKS, *named(LEAVES, "exit handlers"), *named(ENDS, "in its hook")], {}),
    case_of([], [], [*named(LEAVES, "an object"), *named(ENDS, "with an error")], {"TZ": "Asia/Tokyo"}),
]
"""What once was different."""
drawing = settings(
    max_examples=DRAWN,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # making a failing case smaller takes longer than reading it
    suppress_health_check=list(HealthCheck),
)


@seed(SEED)
@drawing
@example(MENDED[0])
@example(MENDED[1])
@example(MENDED[2])
@given(cases(LIBRARIES, DOES))
def test_a_drawn_program_is_the_same_as_a_fork(case: Case) -> None:
    compare(case)


@seed(SEED)
@drawing
@given(cases([piece for piece in UNSAFE if piece.kind not in NOT_YET], DOES))
def test_a_library_does_nothing_to_a_drawn_program_before_it_is_imported(case: Case) -> None:
    compare(case)


@seed(SEED)
@drawing
@given(cases(LIBRARIES, [piece for piece in SHADOWS if piece.kind not in NOT_YET]))
def test_a_drawn_program_finds_what_lies_beside_it(case: Case) -> None:
    compare(case)


def compare(case: Case) -> None:
    """Run a case as a fork, twice, and in an interpreter: what is drawn differs each time, and nothing else does."""
    note(f"{case.kinds} {case.program.variables}")
    forked, again, new = asyncio.run(run(case))
    told = differences({"a fork": (_without_drawn(forked), _without_drawn(new))})
    told += differences({"another fork": (_without_drawn(again), _without_drawn(forked))})
    assert not told, told
    assert not _drawn(forked) & _drawn(again)


async def run(case: Case) -> tuple[Seen, Seen, Seen]:
    """Return what a case comes to as a fork, as another one, and in an interpreter."""
    with TemporaryDirectory() as folder:
        async with pair_in(Path(folder), case.libraries) as pair:
            return await pair.fork(case.program), *await pair.run(case.program)


def _drawn(seen: Seen) -> set[str]:
    return {line for line in seen.output.splitlines() if line.startswith("drawn")}


def _without_drawn(seen: Seen) -> Seen:
    return Seen(seen.code, "\n".join(line for line in seen.output.splitlines() if line not in _drawn(seen)), seen.files)
