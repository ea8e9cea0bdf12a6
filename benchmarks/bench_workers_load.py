"""Measure many queued runs on several workers, with Prefect's settings in variants: `make bench-workers-load`.

ARGS='--workers 2 --runs 100 --variant batches:PREFECT_LOGGING_TO_API_BATCH_INTERVAL=5,...' compares some with the usual ones.
"""

import argparse
import json
import platform as machine
import signal
import sys
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import pygal
from rich.console import Console
from rich.table import Table

from workers_load import Load, Outcome, measure_load, read_statements
from workers_stack import KINDS, PREFECT, WorkersStack, build_image

RESULTS = Path(__file__).parent / "results"
Variant = tuple[str, dict[str, str]]


def main() -> None:
    """Measure, print a table, and write results/workers-load.json and .svg."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left then either
    options = _options()
    image = build_image()
    outcomes: list[Outcome] = []
    statements: dict[str, list[tuple[float, int, str]]] = {}
    for _ in range(options.repetitions):
        for name, settings in [("usual", {}), *options.variant]:
            with WorkersStack(image, settings) as stack:
                read_statements(stack)
                outcomes += _measure(stack, name, options)
                statements[name] = read_statements(stack)
    _write(outcomes, statements)
    _show(outcomes)


def _measure(stack: WorkersStack, variant: str, options: argparse.Namespace) -> list[Outcome]:
    loads = [
        Load(variant, kind, workers, runs)
        for kind in options.kinds
        for runs in options.runs
        for workers in options.workers
        if kind == "warm" or runs <= options.most_process_runs
    ]
    outcomes = []
    for load in loads:
        outcomes.append(measure_load(stack, load))
        print(outcomes[-1], flush=True)
    return outcomes


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--runs", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=["process", "warm"])
    parser.add_argument("--most-process-runs", type=int, default=10, help="queued for the process worker")
    parser.add_argument("--variant", type=_variant, action="append", default=[], metavar="NAME:KEY=VALUE,...")
    parser.add_argument("--repetitions", type=int, default=1)
    return parser.parse_args()


def _variant(text: str) -> Variant:
    name, _, settings = text.partition(":")
    pairs = (pair.partition("=") for pair in settings.split(",") if pair)
    return name, {key: value for key, _, value in pairs}


def _write(outcomes: list[Outcome], statements: dict[str, list[tuple[float, int, str]]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    system = {"system": machine.platform(), "prefect": PREFECT}
    content = {"machine": system, "outcomes": [asdict(outcome) for outcome in outcomes], "statements": statements}
    (RESULTS / "workers-load.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for outcome in outcomes:
        load = outcome.load
        settings = "" if load.variant == "usual" else f", {load.variant}"
        lines[f"{load.kind}, {load.runs} queued{settings}"].append((load.workers, outcome.runs_a_minute))
    plot = pygal.XY(
        title="Queued runs on several workers",
        x_title="workers",
        y_title="runs a minute",
        js=[],
        range=(0, None),
        truncate_legend=-1,
    )
    for line, points in lines.items():
        plot.add(line, points)
    plot.render_to_file(str(RESULTS / "workers-load.svg"))


def _show(outcomes: list[Outcome]) -> None:
    table = Table(box=None)
    columns = ("settings", "kind", "workers", "queued", "a minute", "p50 s", "p95 s")
    for column in (*columns, "worker CPU s a run", "server", "database"):
        table.add_column(column, no_wrap=True)
    for found in outcomes:
        load = found.load
        figures = (found.runs_a_minute, found.latency_p50, found.latency_p95)
        costs = (found.worker_cpu, found.server_cpu, found.database_cpu)
        table.add_row(
            load.variant,
            load.kind,
            str(load.workers),
            str(load.runs),
            *(f"{figure:.1f}" for figure in figures),
            *(f"{cost:.2f}" for cost in costs),
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
