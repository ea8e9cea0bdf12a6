"""What a person sees of flow runs: a table of them, one with all that it has, what became of a wish."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.text import Text
from rich.tree import Tree

from platformctl.commands.moments import short_span
from platformctl.commands.run_control import Asked
from platformctl.commands.run_tree import Node, Report
from platformctl.commands.runs import Listing, RunRow
from platformctl.commands.schedules import ScheduleRow, time_until
from platformctl.commands.watch import NamedLine
from platformctl_cli.display import STATE_STYLES, out, show_run_item, show_table

_MOST = 20
"""How many tasks and sub-flows of one run the tree shows: of a thousand alike nobody reads each."""


def show_runs(found: Listing, platform: str) -> None:
    """Print flow runs, and below them what is wrong with some. platform: its name, which its workers' names begin with."""
    if found.rows:
        columns = ("run", "state", "deployment", "pool", "worker", "since")
        show_table(columns, [_row(row, platform) for row in found.rows], may_fold=("deployment", "worker"))
    else:
        out.print("There are no such flow runs.")
    notes: dict[tuple[str, str], list[str]] = {}
    for row in found.rows:
        if row.trouble:
            notes.setdefault((row.trouble, row.why), []).append(row.name)
    for (trouble, why), names in notes.items():
        out.print(f"\n{', '.join(names)}: {trouble}, {why}", markup=False)
    if found.upcoming:
        out.print(f"\n{found.upcoming} more for later: `platformctl runs ls --state scheduled`", markup=False)


def _row(row: RunRow, platform: str) -> tuple[object, ...]:
    now = datetime.now(UTC)
    is_later = row.state_type == "SCHEDULED" and row.due and row.due > now
    since = f"in {short_span(row.due - now)}" if is_later and row.due else short_span(now - row.since)
    state = f"{row.state}, {row.trouble}" if row.trouble else row.state
    return row.name, state, row.deployment, row.pool, (row.worker or "").removeprefix(f"{platform}-"), since


def show_report(report: Report) -> None:
    """Print a flow run with all that it has, the cause of a failure first."""
    style = STATE_STYLES.get(report.state_type, "default")
    out.print(Text.assemble(f"{report.name}  ", (report.state, style), f"  {report.deployment}"))
    if report.cause:
        out.print(Text.assemble(("cause       ", "bold"), report.cause))
    for name, value in _facts(report):
        out.print(f"{name:<11} {value}", markup=False)
    out.print()
    for state in report.states:
        said = f"  {state.message}" if state.message else ""
        out.print(f"{state.time.astimezone():%H:%M:%S}  {state.name}{said}", markup=False)
    out.print()
    out.print(_tree(report.tree))
    if report.log:
        out.print()
    for line in report.log:
        show_run_item(_first_line(line))


def _first_line(item: NamedLine) -> NamedLine:
    """A line without the traceback below it: `runs logs` prints that."""
    first, *rest = item.line.text.splitlines() or [""]
    more = f" ({len(rest)} more lines)" if rest else ""
    return replace(item, line=replace(item.line, text=first + more))


def _facts(report: Report) -> Iterator[tuple[str, object]]:
    yield "id", report.id
    yield "address", report.address
    if report.pool:
        yield "pool", f"{report.pool}, worker {report.worker}" if report.worker else report.pool
    for name, time in (("due", report.due), ("started", report.started), ("ended", report.ended)):
        if time:
            yield name, f"{time.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if report.attempts > 1:
        yield "attempts", report.attempts
    if report.tags:
        yield "tags", ", ".join(report.tags)
    if report.parameters:
        yield "parameters", _pairs(report.parameters)


def _tree(node: Node) -> Tree:
    tree = Tree(_label(node))
    shown = _most_telling(node.below)
    for each in shown:
        tree.children.append(_tree(each))
    if rest := [each.state for each in node.below if each not in shown]:
        counts = ", ".join(f"{rest.count(state)} {state}" for state in dict.fromkeys(rest))
        tree.add(Text(f"and {counts}", style="dim"))
    return tree


def _most_telling(nodes: Sequence[Node]) -> list[Node]:
    """The first ones that did not complete, filled up with the first of the others; in their order."""
    chosen = sorted(range(len(nodes)), key=lambda number: nodes[number].state_type == "COMPLETED")[:_MOST]
    return [nodes[number] for number in sorted(chosen)]


def _label(node: Node) -> Text:
    took = f"  {short_span(timedelta(seconds=node.seconds))}" if node.seconds is not None else ""
    kind = "flow " if node.kind == "flow" else ""
    return Text.assemble(
        f"{kind}{node.name}  ", (node.state, STATE_STYLES.get(node.state_type, "default")), (took, "dim")
    )


def show_asked(asked: Sequence[Asked]) -> None:
    """Say which state each run has that something was asked of."""
    for each in asked:
        out.print(f"{each.name} is {each.state}", markup=False)


def show_schedules(rows: Sequence[ScheduleRow]) -> None:
    """Print schedules, and below each its next times in its zone, and in the local one where that is another."""
    if not rows:
        out.print("There are no schedules.")
        return
    now = datetime.now(UTC)
    columns = ("deployment", "schedule", "when", "zone", "state", "next")
    cells = [(row.deployment, row.schedule, row.when, row.zone, row.state, time_until(row, now)) for row in rows]
    show_table(columns, cells, may_fold=("deployment", "when", "zone"))
    for row in rows:
        lines = [f"  {_both(time)}" for time in row.next]
        if row.parameters:
            lines.append(f"  with {_pairs(row.parameters)}")
        if lines:
            out.print("\n".join([f"\n{row.deployment} {row.schedule}", *lines]), markup=False)


def _both(time: datetime) -> str:
    """A time in its own zone, and in the local one where its clock shows another time."""
    local, form = time.astimezone(), "%a %Y-%m-%d %H:%M:%S"
    here = "" if local.utcoffset() == time.utcoffset() else f"   here {local:{form} %Z}"
    return f"{time:{form} %Z}{here}"


def _pairs(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={json.dumps(value)}" for key, value in parameters.items())
