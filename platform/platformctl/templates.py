"""Jinja2 over templates/: an undefined name is an error, and what is computed is computed in Python.

What a template prints can't say more than one value: in YAML it is quoted where a plain one would mean something else, and
elsewhere it is on one line.
"""

import functools
import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath

import jinja2

from platformctl.assets import asset_path
from platformctl.files import is_one_line


def render_template(template: str, **values: object) -> str:
    """Render templates/TEMPLATE; raises jinja2.UndefinedError for a value that it wants and doesn't get."""
    printed = _yaml_scalar if ".yaml" in template else _one_line
    return _environment(printed).get_template(PurePosixPath(template).as_posix()).render(values)


@functools.cache
def _environment(printed: Callable[[object], object]) -> jinja2.Environment:
    """printed: what is printed of a value."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset_path("templates")),
        undefined=jinja2.StrictUndefined,
        finalize=printed,
        autoescape=False,  # noqa: S701  # YAML and Dockerfiles, not HTML; strings go through `quoted`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    return environment


class _Quoted(str):
    """A text that is printed as it is."""

    __slots__ = ()


_PLAIN = re.compile(r"[A-Za-z./][A-Za-z0-9_./-]*|[1-9][0-9]*[gm]")
"""What YAML reads as a text, unless it is a word of its own."""
_WORDS = re.compile(r"null|true|false|yes|no|on|off|y|n|\.nan|\.inf", re.IGNORECASE)


def _quoted(value: object) -> _Quoted:
    """JSON is YAML; a dollar sign is doubled, or Compose would take what follows for a variable."""
    return _Quoted(json.dumps(value).replace("$", "$$"))


def _yaml_scalar(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, _Quoted):
        return value
    return value if _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value) else _quoted(value)


def _one_line(value: object) -> object:
    """Return a value as it is; raises ValueError for a text that would be more than one line."""
    if isinstance(value, str) and not is_one_line(value):
        raise ValueError(f"{value!r} would be more than one line of a file")
    return value
