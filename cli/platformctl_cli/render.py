"""`render`: the files that a platform runs from."""

import typer


def render(context: typer.Context) -> None:
    """Write the files that the platform runs from, and start nothing."""
    from platformctl.commands.render import render_to_disk
    from platformctl_cli.display import out

    folder, changed = render_to_disk(context.obj)
    for path in changed:
        out.print(path, markup=False)
    out.print(f"{len(changed)} files changed in {folder}")
