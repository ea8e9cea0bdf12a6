"""Timing of what a user types, as whole processes, ours and the peer's in turn on one machine."""

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: what brings it to its start, untimed, and what is timed."""

    name: str
    prepare: Callable[[], object]
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """A claim: what is compared with what, and the goals. seconds, ratio: at most these medians; None where there is none."""

    name: str
    ours: Side
    peer: Side
    seconds: float | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: wall seconds of each repetition, in order."""

    case: Case
    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Ours over the peer's, repetition by repetition: the two ran one after the other."""
        return [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True)]

    @property
    def is_met(self) -> bool:
        """Whether both goals are."""
        seconds, ratio = statistics.median(self.ours), statistics.median(self.ratios)
        return seconds <= (self.case.seconds or seconds) and ratio <= (self.case.ratio or ratio)


def measure(case: Case, repetitions: int) -> Figures:
    """Run both sides in turn, after one uncounted repetition of each."""
    pairs = [(_timed(case.ours), _timed(case.peer)) for _ in range(repetitions + 1)]
    return Figures(case, tuple(ours for ours, _ in pairs[1:]), tuple(peer for _, peer in pairs[1:]))


def call(words: Sequence[str | Path], folder: Path | None = None) -> str:
    """Run a command, which must succeed, and return what it printed."""
    done = subprocess.run(words, check=False, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _timed(side: Side) -> float:
    side.prepare()
    started = time.perf_counter()
    side.run()
    return time.perf_counter() - started
