"""`lock`: the digests of images."""

from typing import Annotated

import typer

_WOULD_CHANGE = 3


def lock(
    context: typer.Context,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Look up the digests of locked images again.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit with 3 if an image isn't locked or its tag has moved."),
    ] = False,
) -> None:
    """Write the digests of the images that platform.toml names to platform.lock; `up` uses these."""
    from platformctl.commands.lock import find_relocked, write_relocked
    from platformctl_cli.display import out

    relocked = find_relocked(context.obj, upgrade=upgrade or check)
    for found in relocked:
        out.print(f"{found.image}: {found.before or 'not locked'} -> {found.after}", markup=False, soft_wrap=True)
    if not relocked:
        out.print("Nothing to do: every image is locked.")
    elif check:
        raise typer.Exit(_WOULD_CHANGE)
    else:
        write_relocked(context.obj, relocked)
        out.print("Next: platformctl plan")
