"""Work pools: create, ls, set, pause, resume, delete."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from platformctl_cli.output import Format, Output

if TYPE_CHECKING:
    from platformctl.commands.change import Edits

app = typer.Typer(help="Create and change work pools.", no_args_is_help=True, rich_markup_mode=None)

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Work pools.")]
Workers = Annotated[int | None, typer.Option("--workers", min=0, help="How many workers serve it.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="The most flow runs at once.")]
Type = Annotated[Literal["warm", "process"] | None, typer.Option("--type", help="How workers start a flow run.")]
Image = Annotated[str | None, typer.Option("--image", help="The image, a name under [images].")]
Description = Annotated[str | None, typer.Option("--description", help="What the UI says about it.")]


@app.command("create")
def create(  # noqa: PLR0913  # a pool's settings
    context: typer.Context,
    names: Names,
    workers: Workers = None,
    limit: Limit = None,
    type_: Type = None,
    image: Image = None,
    description: Description = None,
) -> None:
    """Add work pools and their workers."""
    from platformctl.commands.pools import pool_creation_edits

    settings = {"workers": workers, "limit": limit, "type": type_, "image": image, "description": description}
    _change(context, "platformctl pools create", pool_creation_edits(names, settings))


@app.command("set")
def set_(  # noqa: PLR0913  # a pool's settings
    context: typer.Context,
    names: Names,
    workers: Workers = None,
    limit: Limit = None,
    no_limit: Annotated[bool, typer.Option("--no-limit", help="Take the limit away.")] = False,
    type_: Type = None,
    image: Image = None,
    description: Description = None,
) -> None:
    """Change settings of work pools."""
    from platformctl.commands.pools import pool_setting_edits

    given = {"workers": workers, "limit": limit, "type": type_, "image": image, "description": description}
    settings = {key: value for key, value in given.items() if value is not None}
    _change(
        context, "platformctl pools set", pool_setting_edits(names, settings | ({"limit": None} if no_limit else {}))
    )


@app.command("ls")
def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the work pools of platform.toml and of Prefect."""
    from platformctl.commands.pools import list_pools
    from platformctl_cli.display import show_json, show_table

    rows = list_pools(context.obj)
    if output is Format.JSON:
        show_json(rows)
        return
    columns = ("pool", "type", "workers online", "limit", "image", "state")
    cells = [
        (row.name, row.type, f"{row.workers_online} of {row.workers_wanted}", row.limit, row.image, row.state)
        for row in rows
    ]
    show_table(columns, cells)


@app.command("pause")
def pause(context: typer.Context, names: Names) -> None:
    """Stop pools from starting flow runs; those in flight continue."""
    _set_paused(context, names, is_paused=True)


@app.command("resume")
def resume(context: typer.Context, names: Names) -> None:
    """Let pools start flow runs again."""
    _set_paused(context, names, is_paused=False)


@app.command("delete")
def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A work pool.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete a work pool with its workers and runs in flight."""
    from platformctl.commands.pools import delete_pool, runs_of_pool
    from platformctl_cli.confirm import confirm
    from platformctl_cli.display import out, show_edits
    from platformctl_cli.progress import progress

    chosen = context.obj
    if runs := runs_of_pool(chosen, name):
        lost = [f"{run.name}  {run.state_name}" for run in runs]
        confirm(
            f"Deleting the pool {name} cancels these flow runs, or crashes them after the grace period:",
            lost,
            is_agreed=yes,
        )
    with progress() as report:
        outcome = delete_pool(chosen, name, report)
    show_edits(outcome.edited)
    if outcome.plan is not None:  # else nothing of the platform is there, and Prefect could not be told
        out.print(f"The pool {name} is deleted.", markup=False)


def _change(context: typer.Context, command: str, edits: "Edits") -> None:
    from platformctl.commands.change import change, edit_keys_of
    from platformctl_cli.progress import progress
    from platformctl_cli.summary import show_outcome, typed_command

    with progress() as report:
        outcome = change(context.obj, report, command=command, edit=edit_keys_of(edits))
    show_outcome(outcome, typed_command(context.obj))


def _set_paused(context: typer.Context, names: list[str], *, is_paused: bool) -> None:
    from platformctl.commands.pools import set_paused
    from platformctl_cli.display import out, show_edits
    from platformctl_cli.progress import progress

    with progress() as report:
        lines = set_paused(context.obj, names, report, is_paused=is_paused)
    show_edits(lines)
    out.print(f"{', '.join(names)}: {'paused' if is_paused else 'resumed'}", markup=False)
