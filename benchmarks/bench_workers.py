"""Measure Prefect's process worker and the warm worker in turns: `make bench-workers`, or less with ARGS="--repetitions 1"."""

import argparse
import json
import platform as machine
import signal
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from workers_goals import GOALS, Goal
from workers_measures import Amounts, Figures, measure_idling, measure_kind
from workers_stack import KINDS, PREFECT, WorkersStack, build_image

RESULTS = Path(__file__).parent / "results" / "workers.json"
Samples = dict[str, Figures]
"""Samples by measure, by kind of worker."""


def main() -> None:
    """Measure, print a table, and write results/workers.json."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left then either
    options = _options()
    amounts = Amounts(
        {"process": options.process_runs, "warm": options.warm_runs},
        {"process": options.process_singles, "warm": options.warm_singles},
        options.idle_seconds,
    )
    with WorkersStack(build_image(), dict(options.settings)) as stack:
        samples = _measure(stack, amounts, options.repetitions)
    _write(samples)
    _show(samples)


def _measure(stack: WorkersStack, amounts: Amounts, repetitions: int) -> Samples:
    """Take every measure of both kinds in turns; the kind that is first changes from one repetition to the next."""
    samples: Samples = {kind: defaultdict(list) for kind in KINDS}
    for repetition in range(repetitions):
        for kind in KINDS[:: -1 if repetition % 2 else 1]:
            found = {**measure_kind(stack, kind, amounts), **measure_idling(stack, kind, amounts)}
            for name, figures in found.items():
                samples[kind][name] += figures
                print(f"{repetition + 1}/{repetitions} {kind} {name}: {statistics.median(figures):.3f}", flush=True)
    return samples


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--process-runs", type=int, default=24)
    parser.add_argument("--warm-runs", type=int, default=80)
    parser.add_argument("--process-singles", type=int, default=8)
    parser.add_argument("--warm-singles", type=int, default=20)
    parser.add_argument("--idle-seconds", type=float, default=60)
    parser.add_argument(
        "--settings", nargs="*", default=[], metavar="KEY=VALUE", type=lambda text: tuple(text.split("=", 1))
    )
    return parser.parse_args()


def _figures(goal: Goal, samples: Samples) -> tuple[float, float, float]:
    process, warm = (goal.summary(samples[kind][goal.measure]) for kind in KINDS)
    return process, warm, warm / process


def _write(samples: Samples) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    rows = []
    for goal in GOALS:
        process, warm, ratio = _figures(goal, samples)
        found = {"process": process, "warm": warm, "ratio": ratio, "met": goal.is_met(warm, ratio)}
        rows.append({"measure": goal.title, "unit": goal.unit, "goal": str(goal), **found})
    system = {"system": machine.platform(), "prefect": PREFECT}
    RESULTS.write_text(json.dumps({"machine": system, "rows": rows, "samples": samples}, indent=2) + "\n", "utf-8")


def _show(samples: Samples) -> None:
    table = Table(box=None)
    for column in ("measure", "unit", "process", "warm", "ratio", "goal", "met"):
        table.add_column(column, no_wrap=True)
    for goal in GOALS:
        process, warm, ratio = _figures(goal, samples)
        met = ("yes" if goal.is_met(warm, ratio) else "NO") if str(goal) else ""
        table.add_row(goal.title, goal.unit, f"{process:.2f}", f"{warm:.2f}", f"{ratio:.2f}", str(goal), met)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
