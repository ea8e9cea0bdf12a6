"""The Typer app: the commands, the options that come before them, and the one place that displays errors.

Only Typer is imported at the top here and in the modules of commands: `--help` answers before the library is loaded.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from platformctl_cli import (
    build_image,
    deploy,
    down,
    init,
    lock,
    logs,
    plan,
    pools,
    prune,
    render,
    run,
    runs,
    scale,
    schedules,
    status,
    up,
)
from platformctl_cli.interrupts import INTERRUPTED, tell_interrupt, was_interrupted

_EXIT_CODES = (
    "Exit codes: 0 done; 1 failed or refused, or `status --check` found something wrong; 2 the command line or a file must "
    "be corrected; 3 `plan --check`, `deploy --check` or `lock --check` found something to do; 130 interrupted."
)
_GO_ON = "Type the same command to continue."
_AFTER_INTERRUPT = {
    **dict.fromkeys(("init", "up", "scale", "pools", "deploy", "down", "prune", "render", "build-image"), _GO_ON),
    "run": "A flow run that was started keeps running.",
    "schedules": "`platformctl schedules` shows the schedules as they are.",
    "runs": "`platformctl runs ls` shows the flow runs as they are.",
}
"""What to do after an interrupt of a command; the others change nothing."""


class _Group(TyperGroup):
    """Displays what goes wrong: what happened, and the next thing to type."""

    def make_context(self, *words: Any, **options: Any) -> typer.Context:  # noqa: ANN401  # as given
        with _telling_interrupts(lambda: None):
            return super().make_context(*words, **options)  # type: ignore[return-value]  # its own Context has no public name

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # as above
        try:
            with _telling_interrupts(lambda: ctx.invoked_subcommand):
                return super().invoke(ctx)
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


@contextmanager
def _telling_interrupts(find_command: Callable[[], str | None]) -> Iterator[None]:
    """Say in one line where a command was interrupted, what is left, and what to type next."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if (
            not isinstance(error, (KeyboardInterrupt, typer.Abort)) and not was_interrupted()
        ):  # Abort is one at a question
            raise
        where = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
        after = _AFTER_INTERRUPT.get(find_command() or "", "Nothing was changed.")
        tell_interrupt(f"Interrupted{where}. {after}")
        raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="platformctl",
    cls=_Group,
    help="Set up and run a self-hosted Prefect platform from one file, platform.toml.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
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
    """Set up and run a self-hosted Prefect platform from one file, platform.toml."""
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
app.command("prune")(prune.prune)
app.command("lock")(lock.lock)
app.command("render")(render.render)
app.command("build-image")(build_image.build_image)
app.command("deploy")(deploy.deploy)
app.command("run")(run.run)
app.add_typer(pools.app, name="pools")
app.add_typer(runs.app, name="runs")
app.add_typer(schedules.app, name="schedules")
