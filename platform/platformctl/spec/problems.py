"""What is wrong with a spec, in an operator's words: file, line, what was found, what was expected, the nearest key."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from platformctl.errors import SpecError
from platformctl.model.spec import KeyPath, Spec

_TABLES = ("platform",)
_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
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
    from platformctl.spec.locate import find_line  # noqa: PLC0415  # what an error needs, a good file doesn't pay for

    lines = [f"{file.name}:{find_line(text, problem.path)}: {problem.message}" for problem in problems]
    what = "it" if len(lines) == 1 else f"these {len(lines)}"
    return SpecError("\n".join(lines), remedy=f"Correct {what} in {file}; nothing was changed.")


def problems_of(error: ValidationError) -> list[Problem]:
    """Translate what Pydantic found into problems, in the order of the model."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails) -> Problem:
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    shown = ".".join(path)
    if detail["type"] == "extra_forbidden":
        return Problem(path, f"unknown key {shown!r}{nearest(path[-1], valid_keys(path[:-1]))}")
    if detail["type"] == "missing":
        wanted = f"[{shown}]" if shown in _TABLES else shown
        return Problem(path, f"{wanted} is missing")
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
