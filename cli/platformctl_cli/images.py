"""Worker images: build-image."""

from typing import Annotated

import typer


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to an app."""
    app.command("build-image")(build_image)


def build_image(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Images of platform.toml.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Push to the image's repository.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Build every step anew.")] = False,
    platform: Annotated[
        list[str] | None, typer.Option("--platform", metavar="OS/ARCH", help="Build for it; several need --push.")
    ] = None,
) -> None:
    """Build worker images whose inputs changed."""
    from platformctl.build_image import build_images
    from platformctl_cli.display import progress, show_built

    chosen = context.obj
    with progress() as report:
        options = {"use_cache": not no_cache, "push": push}
        built = build_images(chosen, names or (), report, **options, platforms=platform or ())
    show_built(built)
