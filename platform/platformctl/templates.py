"""Jinja2 over templates/: an undefined name is an error, and what is computed is computed in Python."""

import functools
import json
from pathlib import PurePosixPath

import jinja2

from platformctl.assets import asset_path


def render_template(template: str, **values: object) -> str:
    """Render templates/TEMPLATE; raises jinja2.UndefinedError for a value that it wants and doesn't get."""
    return _environment().get_template(PurePosixPath(template).as_posix()).render(values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset_path("templates")),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  # YAML and Dockerfiles, not HTML; strings go through `quoted`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    return environment


def _quoted(value: object) -> str:
    """JSON is YAML; a dollar sign is doubled, or Compose would take what follows for a variable."""
    return json.dumps(value).replace("$", "$$")
