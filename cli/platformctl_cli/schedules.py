"""Schedules: list them with their next times, pause, resume."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from platformctl_cli.completion import complete_deployments
from platformctl_cli.output import Format, Output


class _Listing(TyperGroup):
    """Takes a deployment's name where the others take a command: `schedules` alone lists all."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # its own Context has no public name
        is_help = any(word in ("-h", "--help") for word in args)
        words = [word for word in args if word in self.commands]
        return super().parse_args(ctx, args if words or is_help else ["ls", *args])


app = typer.Typer(
    cls=_Listing,
    help="List, pause and resume schedules: `schedules [FLOW/DEPLOYMENT]` lists them.",
    no_args_is_help=False,
    rich_markup_mode=None,
)

Name = Annotated[
    str, typer.Argument(metavar="FLOW/DEPLOYMENT", help="A deployment.", autocompletion=complete_deployments)
]
Slug = Annotated[str | None, typer.Option("--slug", help="One schedule of it: its slug, or its number in the list.")]


@app.command("ls")
def list_(
    context: typer.Context,
    deployment: Annotated[
        str | None,
        typer.Argument(
            metavar="[FLOW/DEPLOYMENT]", help="A deployment; by default all.", autocompletion=complete_deployments
        ),
    ] = None,
    count: Annotated[int, typer.Option("-n", "--next", min=1, max=50, help="How many of the next times.")] = 3,
    output: Output = Format.TABLE,
) -> None:
    """List schedules and their next times."""
    from platformctl.commands.run import require_server
    from platformctl.commands.schedules import list_schedules
    from platformctl_cli.display import show_json
    from platformctl_cli.run_display import show_schedules

    rows = list_schedules(require_server(context.obj), deployment, count=count)
    show_json(rows) if output is Format.JSON else show_schedules(rows)


@app.command("pause")
def pause(context: typer.Context, deployment: Name, slug: Slug = None) -> None:
    """Have the schedules of a deployment start no runs."""
    _set_paused(context, deployment, slug, is_paused=True)


@app.command("resume")
def resume(context: typer.Context, deployment: Name, slug: Slug = None) -> None:
    """Let the schedules of a deployment start runs again."""
    _set_paused(context, deployment, slug, is_paused=False)


def _set_paused(context: typer.Context, deployment: str, slug: str | None, *, is_paused: bool) -> None:
    from platformctl.commands.run import require_server
    from platformctl.commands.schedules import set_paused

    typer.echo(set_paused(require_server(context.obj), deployment, slug, is_paused=is_paused))
