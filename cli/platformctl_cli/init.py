"""`init`: the files of a first platform."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    context: typer.Context,
    name: Annotated[str | None, typer.Option("--name", help="The platform's name; by default the folder's.")] = None,
) -> None:
    """Write a platform.toml, a first flow and its deployment."""
    from platformctl.commands.init import init_project
    from platformctl_cli.display import out

    folder: Path = context.obj.folder
    for path in init_project(folder, name):
        out.print(f"wrote {path}", markup=False)
    where = "" if folder == Path() else f" -C {folder}"
    out.print(f"\nNext: platformctl{where} up", markup=False)
