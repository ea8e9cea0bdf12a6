"""The reference of what commands print with `-o json`, made from what they print: `make golden` writes docs/reference.md."""

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from platformctl.commands.pools import PoolRow
from platformctl.commands.prune import OldImage
from platformctl.commands.run_tree import Report
from platformctl.commands.runs import RunRow
from platformctl.commands.schedules import ScheduleRow
from platformctl.commands.status import Status

_COMMANDS: tuple[tuple[str, str, type], ...] = (
    ("status", "an object", Status),
    ("pools ls", "a list", PoolRow),
    ("runs ls", "a list", RunRow),
    ("runs show", "an object", Report),
    ("schedules", "a list", ScheduleRow),
    ("prune", "a list", OldImage),
)
_NAMES = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true or false",
    "datetime": "time",
    "None": "null",
}
_HEAD = """\
# What `-o json` prints

Field for field. A time is a text in ISO 8601, with its zone. `plan -o json` is an object with `changes` (whether there are steps),
`refused` (why `up` would refuse, or null), `notes` (texts) and `steps`: each with `resource`, `action`, `cause` and `change`.
"""


def json_page() -> str:
    """Return the page, in Markdown."""
    return "\n".join([_HEAD, *(_command(*each) for each in _COMMANDS)])


def _command(command: str, what: str, printed: type) -> str:
    held = [f"**{each.__name__}.** {_table(each)}" for each in dict.fromkeys(_below(printed))]
    return "\n".join([f"## {command} -o json", "", f"Prints {what}. {_table(printed)}", *held])


def _table(found: type) -> str:
    lines = [f"| `{name}` | {_type(hint)} |" for name, hint in _fields(found).items()]
    said = inspect.cleandoc(found.__doc__ or "")
    return "\n".join([said, "", "| field | type |", "| --- | --- |", *lines, ""])


def _fields(found: type) -> dict[str, Any]:
    hints = get_type_hints(found)
    return {field.name: hints[field.name] for field in dataclasses.fields(found)}


def _below(found: type) -> Iterator[type]:
    """The objects that fields of an object hold, and those in these."""
    for hint in _fields(found).values():
        for each in (hint, *get_args(hint)):
            if dataclasses.is_dataclass(each) and isinstance(each, type) and each is not found:
                yield each
                yield from _below(each)


def _type(hint: Any) -> str:  # noqa: ANN401  # whatever stands there
    inner = [each for each in get_args(hint) if each is not Ellipsis]
    origin = getattr(hint, "__origin__", None)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is not None:
        return "object"
    if inner:
        return " or ".join(_type(each) for each in inner)
    name = "None" if hint is type(None) else getattr(hint, "__name__", str(hint))
    return _NAMES.get(name, name)
