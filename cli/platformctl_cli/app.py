"""The Typer app: the commands, the options that come before them, and the one place that displays errors.

Only Typer is imported at the top here and in the modules of commands: `--help` answers before the library is loaded.
"""

import gc
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from platformctl_cli import build_image, down, init, logs, plan, pools, render, run, scale, status, up

_INTERRUPTED = 130


class _Group(TyperGroup):
    """Displays what goes wrong: what happened, and the next thing to type."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # its own Context has no public name
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("\nInterrupted. Type the same command to go on.", err=True)
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            raise
        except Exception as error:
            from platformctl.errors import as_platform_error

            found = as_platform_error(error)
            if found is None:
                raise
            from platformctl_cli.display import show_error

            show_error(found)
            raise typer.Exit(found.exit_code) from error


app = typer.Typer(
    name="platformctl",
    cls=_Group,
    help="A self-hosted Prefect platform from one file, platform.toml, and its operation.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(value: bool) -> None:  # Typer's signature
    if value:
        from platformctl import __version__

        typer.echo(f"platformctl {__version__}")
        raise typer.Exit


@app.callback()
def choose(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Option("-C", "--directory", metavar="DIR", help="The folder of platform.toml.")
    ] = Path(),
    env: Annotated[
        str | None, typer.Option("--env", metavar="NAME", help="The overlay [env.NAME] of platform.toml.")
    ] = None,
    version: Annotated[  # noqa: ARG001  # its callback does it
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """A self-hosted Prefect platform from one file, platform.toml, and its operation."""
    from platformctl.commands.workspace import Workspace

    given = context.obj if isinstance(context.obj, Workspace) else Workspace()
    context.obj = replace(given, folder=directory, env=env)


app.command("init")(init.init)
app.command("up")(up.up)
app.command("plan")(plan.plan)
app.command("status")(status.status)
app.command("logs")(logs.logs)
app.command("scale")(scale.scale)
app.command("down")(down.down)
app.command("render")(render.render)
app.command("build-image")(build_image.build_image)
app.command("run")(run.run)
app.add_typer(pools.app, name="pools")


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some reads every installed package
    gc.set_threshold(
        50_000
    )  # loading modules makes objects that stay: collecting them meanwhile is a tenth of the time
    try:
        app()
    finally:
        gc.freeze()  # the last collection of all that was loaded is a quarter of a short command's time
