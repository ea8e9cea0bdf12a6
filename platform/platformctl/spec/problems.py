"""What is wrong with a spec, in an operator's words: file, line, what was found, what was expected, the nearest key."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import tomlkit
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from platformctl.errors import SpecError
from platformctl.spec.model import Spec

KeyPath = tuple[str, ...]
_MARK = "platformctl-looks-for-this-value"

_EXPECTED = {
    "int_type": "a whole number",
    "string_type": "a string",
    "bool_type": "true or false",
    "tuple_type": "a list of strings",
    "dict_type": "a table",
    "model_type": "a table",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a key: its path in platform.toml, and what to say about it."""

    path: KeyPath
    message: str


def spec_error(file: Path, text: str, problems: Sequence[Problem]) -> SpecError:
    """Return the error that lists problems, a line each, with their lines in the file's text."""
    lines = [f"{file.name}:{find_line(text, problem.path)}: {problem.message}" for problem in problems]
    what = "it" if len(lines) == 1 else f"these {len(lines)}"
    return SpecError("\n".join(lines), remedy=f"Correct {what} in {file}; nothing was changed.")


def find_line(text: str, path: KeyPath) -> int:
    """Return the line, from 1, that holds the key at a path of a TOML text, or its nearest parent; 1 where none does.

    The value is swapped for a mark in a copy of the document, whose layout tomlkit keeps: the mark's line is the key's.
    """
    while path:
        document = tomlkit.parse(text)
        parent: object = document
        for key in path[:-1]:
            parent = parent.get(key) if isinstance(parent, dict) else None
        if isinstance(parent, dict) and path[-1] in parent:
            return _line_of(document, parent, path[-1])
        path = path[:-1]
    return 1


def _line_of(document: tomlkit.TOMLDocument, parent: dict[str, object], key: str) -> int:
    value = parent[key]
    if isinstance(value, dict) and not isinstance(value, tomlkit.items.InlineTable):
        return _header_line(document, value)
    parent[key] = _MARK
    return _line_with(_MARK, tomlkit.dumps(document))


def _header_line(document: tomlkit.TOMLDocument, table: dict[str, object]) -> int:
    """The line of a table's header: the last one that opens a table above the table's first line."""
    first = next(iter(table), None)
    if first is not None and isinstance(table[first], dict):
        return _line_of(document, table, first)
    table[first or _MARK] = _MARK
    lines = tomlkit.dumps(document).splitlines()
    mark = next(number for number, line in enumerate(lines) if _MARK in line)
    return next((number + 1 for number in range(mark, -1, -1) if lines[number].lstrip().startswith("[")), mark + 1)


def _line_with(mark: str, text: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if mark in line), 1)


def problems_of(error: ValidationError) -> list[Problem]:
    """Translate what Pydantic found into problems, in the order of the model."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails) -> Problem:
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    shown = ".".join(path)
    if detail["type"] == "extra_forbidden":
        return Problem(path, f"unknown key {shown!r}{nearest(path[-1], valid_keys(path[:-1]))}")
    if detail["type"] == "missing":
        return Problem(path, f"{shown} is missing")
    if "[key]" in detail["loc"]:
        return Problem(
            path, f"{path[-1]!r} under [{'.'.join(path[:-1])}] is not a legal name: expected {detail['msg']}"
        )
    expected = _EXPECTED.get(detail["type"], detail["msg"]).format(**detail.get("ctx", {}))
    return Problem(path, f"{shown} is {_show(detail['input'])}, expected {expected}")


def _show(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'the string "{value}"'
    if isinstance(value, Mapping):
        return "a table"
    return f"a list of {len(value)}" if isinstance(value, list | tuple) else str(value)


def nearest(word: str, words: Sequence[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest of words, or the list of them where none is near."""
    match = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if match:
        return f"; did you mean {match[0]!r}?"
    return f"; valid here: {', '.join(words)}" if words else ""


def valid_keys(path: KeyPath) -> list[str]:
    """Return the keys that the model allows in the table at a path."""
    model: object = Spec
    for part in path:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            break
        field = model.model_fields.get(part)
        if field is None:
            return []
        model = field.annotation
    for argument in get_args(model):  # a table of tables: path ends below its name
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            model = argument
    keys = list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
    return [*keys, "env"] if model is Spec else keys


def syntax_error(file: Path, text: str) -> SpecError:
    """Return the error for a file that isn't TOML, with the line of what the parser stumbled on."""
    try:
        tomlkit.parse(text)
    except tomlkit.exceptions.ParseError as error:
        reason = re.sub(r" at line \d+ col \d+", "", str(error))
        line = text.splitlines()[error.line - 1].strip() if error.line <= len(text.splitlines()) else ""
        where = f"{file.name}:{error.line}: not TOML: {reason}" + (f": {line}" if line else "")
        return SpecError(where, remedy=f"Correct line {error.line} of {file}; nothing was changed.")
    except (tomlkit.exceptions.TOMLKitError, ValueError) as error:
        return SpecError(f"{file.name}: not TOML: {error}", remedy=f"Correct {file}; nothing was changed.")
    return SpecError(f"{file.name}: not TOML", remedy=f"Correct {file}; nothing was changed.")
