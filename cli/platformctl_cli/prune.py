"""`prune`: remove old images."""

from contextlib import nullcontext
from typing import Annotated

import typer

from platformctl_cli.output import Format, Output


def prune(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show them, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Remove images that were built for the platform and that nothing uses.

    Images that platform.toml needs stay, and those that another platform runs from. Without Docker, the images are
    environments.
    """
    from platformctl.commands.prune import list_old_images, remove_images
    from platformctl_cli.confirm import confirm
    from platformctl_cli.display import show_json
    from platformctl_cli.progress import progress
    from platformctl_cli.summary import show_old_images

    old = list_old_images(context.obj)
    show_old_images(old) if output is Format.TABLE else show_json(old)
    if old and not dry_run:
        confirm("This removes these images. If one is needed again, it is built from the beginning.", (), is_agreed=yes)
        with progress() if output is Format.TABLE else nullcontext(lambda _: None) as report:
            remove_images(context.obj, {image.reference for image in old}, report)
