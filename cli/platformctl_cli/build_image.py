"""`build-image`: build worker images whose inputs changed."""

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from platformctl.plan.report import Event, Report


def build_image(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Images to build; without a name, all of them.")
    ] = None,
    push: Annotated[bool, typer.Option("--push", help="Push to the image's repository.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Build every step again, without the cache.")] = False,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", metavar="OS/ARCH", help="Build for this platform; more than one needs --push."),
    ] = None,
) -> None:
    """Build worker images whose inputs changed."""
    from platformctl.commands.build_image import build_images

    options = {"use_cache": not no_cache, "push": push}
    with _when_needed() as report:
        built = build_images(context.obj, names or (), report, **options, platforms=platform or ())
    for image in built:
        found = "built" if image.was_built else "unchanged: nothing to build"
        typer.echo(f"{image.name}  {image.reference}  {found}")


@contextmanager
def _when_needed() -> "Iterator[Report]":
    """Progress that is loaded at the first thing to tell: most calls have nothing to build."""
    with ExitStack() as stack:

        @functools.cache
        def shown() -> "Report":
            from platformctl_cli.progress import progress

            return stack.enter_context(progress())

        def report(event: "Event") -> None:
            shown()(event)

        yield report
