"""Measure every claim about speed: `make bench`, or some of them with `make bench ARGS="--only help up-again"`."""

import argparse
import json
import platform as machine
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench_local import ByHand
from bench_stack import create_stack
from cases import docker_cases, local_cases
from measure import Case, Figures, measure

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print a table, and write results/latest.json."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        figures = [*_measure_docker(Path(folder) / "docker", options), *_measure_local(Path(folder) / "local", options)]
    _write(figures)
    _show(figures)


def _measure_docker(folder: Path, options: argparse.Namespace) -> list[Figures]:
    stack = create_stack(folder, "docker")
    try:
        return _measure(docker_cases(stack), options)
    finally:
        stack.clear()


def _measure_local(folder: Path, options: argparse.Namespace) -> list[Figures]:
    stack = create_stack(folder, "local")
    by_hand = ByHand(stack)
    try:
        return _measure(local_cases(stack, by_hand), options)
    finally:
        by_hand.down()
        stack.clear()


def _measure(cases: list[Case], options: argparse.Namespace) -> list[Figures]:
    chosen = [case for case in cases if not options.only or case.name in options.only]
    return [measure(case, options.repetitions) for case in chosen]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--only", nargs="*", metavar="CASE")
    return parser.parse_args()


def _write(figures: list[Figures]) -> None:
    RESULTS.mkdir(exist_ok=True)
    content = {
        "machine": {"system": machine.platform(), "python": machine.python_version()},
        "cases": [
            {
                "name": found.case.name,
                "ours": {"command": found.case.ours.name, "seconds": found.ours},
                "peer": {"command": found.case.peer.name, "seconds": found.peer},
                "median_ours": statistics.median(found.ours),
                "median_peer": statistics.median(found.peer),
                "median_ratio": statistics.median(found.ratios),
                "goal_seconds": found.case.seconds,
                "goal_ratio": found.case.ratio,
                "met": found.is_met,
            }
            for found in figures
        ],
    }
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _show(figures: list[Figures]) -> None:
    table = Table(box=None)
    for column in ("ours", "s", "peer", "s", "ratio", "goal", "met"):
        table.add_column(column, no_wrap=True)
    for found in figures:
        case = found.case
        goals = [f"{case.seconds} s" if case.seconds else "", f"{case.ratio} x" if case.ratio else ""]
        table.add_row(
            case.ours.name,
            f"{statistics.median(found.ours):.2f}",
            case.peer.name,
            f"{statistics.median(found.peer):.2f}",
            f"{statistics.median(found.ratios):.2f}",
            ", ".join(goal for goal in goals if goal),
            "yes" if found.is_met else "NO",
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
