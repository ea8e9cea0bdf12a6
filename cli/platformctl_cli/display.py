"""What a person sees at the end: tables, plans, results and errors."""

import dataclasses
import json
import logging
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from platformctl.commands.watch import NamedLine, StateChange
from platformctl.errors import PlatformError
from platformctl.plan.step import Plan

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_WIDEST = 2000
"""Columns of a table that is not folded."""
STATE_STYLES = {"COMPLETED": "green", "FAILED": "red", "CRASHED": "red", "CANCELLED": "yellow", "RUNNING": "cyan"}


def show_error(error: PlatformError) -> None:
    """Show what happened, and what to do next."""
    err.print(Text("Error: ", style="bold red").append(error.message, style="default not bold"))
    err.print(Text("Next:  ", style="bold").append(error.remedy, style="default not bold"))


def show_json(content: object) -> None:
    """Print a dataclass, or a list of them, as JSON."""
    plain = [_plain(item) for item in content] if isinstance(content, list) else _plain(content)
    sys.stdout.write(json.dumps(plain, indent=2, default=_time) + "\n")


def _time(item: object) -> str:
    if isinstance(item, datetime):
        return item.isoformat()
    raise TypeError(f"{type(item).__name__} has no JSON")


def _plain(item: object) -> object:
    return dataclasses.asdict(item) if dataclasses.is_dataclass(item) and not isinstance(item, type) else item


def show_edits(lines: Sequence[str]) -> None:
    """Say which lines of platform.toml changed."""
    for line in lines:
        out.print(f"platform.toml: {line}", markup=False)


def show_plan(plan: Plan, *, is_refused: bool) -> None:
    """Print a plan's steps, a line each, with their causes."""
    if not plan.has_changes:
        out.print("Nothing to do: the platform is what platform.toml says.")
        return
    width = max(len(step.resource) for step in plan.steps)
    for step in plan.steps:
        text = Text(f"{step.action:<9} ", style="cyan").append(f"{step.resource:<{width}}  ", style="default")
        out.print(text.append(step.cause, style="dim"))
    next_ = "`platformctl up` refuses them:" if is_refused else "`platformctl up` carries them out."
    out.print(f"\n{_count(len(plan.steps), 'step')}. {next_}")


def show_notes(notes: Sequence[str]) -> None:
    """Print what the files say and their writer may not expect."""
    for note in notes:
        out.print(Text("Note:  ", style="yellow").append(note, style="default"))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, may_fold: Collection[str] = ()) -> None:
    """Print a table; None is a dash. may_fold: columns that take several lines where the terminal is too narrow.

    No cell is cut: what doesn't fit goes beyond the edge, and where nobody looks at it there is none.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column.upper(), no_wrap=column not in may_fold, overflow="fold")
    for row in rows:
        table.add_row(*("-" if cell is None or cell == "" else str(cell) for cell in row))
    width = out.width if may_fold and out.is_terminal else _WIDEST
    wide = Console(width=width, highlight=False, force_terminal=out.is_terminal)
    with wide.capture() as captured:
        wide.print(table)
    out.print("\n".join(line.rstrip() for line in captured.get().splitlines()), markup=False)


def show_run_item(item: NamedLine | StateChange) -> None:
    """Print a log line of a flow run with who wrote it, or the state that the run took."""
    if isinstance(item, StateChange):
        style = STATE_STYLES.get(item.run.state_type, "default")
        out.print(Text(f"{item.run.name}  ").append(item.run.state_name, style=style))
        return
    line, local = item.line, item.line.time.astimezone()
    level = logging.getLevelName(line.level)
    style = "red" if line.level >= logging.ERROR else "yellow" if line.level >= logging.WARNING else "default"
    writer = f"{item.writer} | " if item.writer else ""
    out.print(Text.assemble((f"{local:%H:%M:%S}  {level:<8} ", "dim"), (writer, "cyan"), (line.text, style)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
