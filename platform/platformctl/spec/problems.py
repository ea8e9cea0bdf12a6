"""What is wrong with a spec, in an operator's words: file, line, what was found, what was expected, the nearest key."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from platformctl.errors import SpecError, UsageError
from platformctl.model.spec import KeyPath, Spec
from platformctl.model.texts import HOLDS_SECRETS

_TABLES = ("platform",)
_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a string",
    "bool_type": "true or false",
    "tuple_type": "a list of strings",
    "dict_type": "a table",
    "model_type": "a table",
    "list_type": "a list",
    "time_delta_type": 'a number of seconds, or a duration such as "PT1H"',
    "time_delta_parsing": 'a number of seconds, or a duration such as "PT1H"',
}
_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}
"""What is completed with values of the model's own; a text of the user's is never a format."""
_MANY, _LONG = 20, 200
"""Problems that an error lists, and characters that it shows of a text."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a key: its path in platform.toml, and what to say about it."""

    path: KeyPath
    message: str

    def within(self, at: KeyPath, what: str) -> "Problem":
        """Return it as a problem of what it is a part of. at: where that stands. what: its name for a person."""
        return Problem((*at, *self.path), f"{what}: {self.message}")


def spec_error(file: Path, text: str, problems: Sequence[Problem]) -> SpecError:
    """Return the error that lists problems of a platform.toml, with their lines in its text."""
    from platformctl.spec.locate import find_line  # noqa: PLC0415  # what an error needs, a good file doesn't pay for

    return listed_error(file, problems, lambda path: find_line(text, path))


def listed_error(file: Path, problems: Sequence[Problem], line_of: Callable[[KeyPath], int]) -> SpecError:
    """Return the error that lists problems of a file, in the order of their lines. line_of: where in it a key stands."""
    found = sorted((line_of(problem.path), problem.message) for problem in problems)
    lines = [f"{file.name}:{line}: {message}" for line, message in found[:_MANY]]
    what = "it" if len(problems) == 1 else f"these {len(problems)}"
    if len(problems) > _MANY:
        lines.append(f"... and {len(problems) - _MANY} more")
    return SpecError("\n".join(lines), remedy=f"Correct {what} in {file}; nothing was changed.")


def problems_of(error: ValidationError, model: type[BaseModel] = Spec) -> list[Problem]:
    """Translate what Pydantic found into problems, in the order of the model."""
    return [_problem(detail, model) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    shown = ".".join(path)
    if detail["type"] == "extra_forbidden":
        return Problem(path, f"unknown key {shown!r}{nearest(path[-1], valid_keys(path[:-1], model))}")
    if detail["type"] == "missing":
        wanted = f"[{shown}]" if shown in _TABLES else shown
        return Problem(path, f"{wanted} is missing")
    if "[key]" in detail["loc"]:
        return Problem(
            path, f"{path[-1]!r} under [{'.'.join(path[:-1])}] is not a legal name: expected {_expected(detail)}"
        )
    return Problem(path, f"{shown} is {_show_input(detail)}, expected {_expected(detail)}")


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] in _BOUNDS:
        return _BOUNDS[detail["type"]].format(**detail.get("ctx", {}))
    return _EXPECTED.get(detail["type"], detail["msg"])


def _show_input(detail: ErrorDetails) -> str:
    is_secret = detail["type"] in HOLDS_SECRETS and isinstance(detail["input"], str)
    return "a text that may hold a password, and isn't shown" if is_secret else _show(detail["input"])


def _show(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the string {json.dumps(_shortened(value), ensure_ascii=False)}"
    if isinstance(value, Mapping):
        return "a table"
    return f"a list of {len(value)}" if isinstance(value, list | tuple) else _shortened(str(value))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def nearest_word(word: str, words: Sequence[str]) -> str | None:
    """Return the one of words that another is a slip of; None where none has most of its letters."""
    match = difflib.get_close_matches(word[:_LONG], words, n=1, cutoff=0.75)
    return match[0] if match else None


def nearest(word: str, words: Sequence[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest of words, or the list of them where none is near."""
    if match := nearest_word(word, words):
        return f"; did you mean {match!r}?"
    return f"; valid here: {', '.join(words)}" if words else ""


def unknown_name(found: str, name: str, names: Sequence[str], *, remedy: str) -> UsageError:
    """Return the error of a name that isn't there. found: the sentence, without its end. names: those that are.

    remedy: what to do where none of them is near; where one is, that one is meant.
    """
    match = nearest_word(name, names)
    return UsageError(f"{found}{nearest(name, names)}", remedy=f"Name {match!r} instead." if match else remedy)


def valid_keys(path: KeyPath, root: type[BaseModel] = Spec) -> list[str]:
    """Return the keys that a model allows in the table at a path; the numbers of lists are parts of a path too."""
    found: object = root
    for part in path:
        found = _below(found, part)
    model = _given(found)
    keys = list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
    return [*keys, "env"] if model is Spec else keys


def _below(annotation: object, part: str) -> object:
    """The type of a key of a model, or of an item of a collection."""
    outer = _given(annotation)
    if isinstance(outer, type) and issubclass(outer, BaseModel):
        return outer.model_fields[part].annotation if part in outer.model_fields else None
    return next(reversed(get_args(outer)), None)


def _given(annotation: object) -> object:
    """What a type is where something is given: that of `int | None` is int."""
    is_optional = type(None) in get_args(annotation)
    return next(each for each in get_args(annotation) if each is not type(None)) if is_optional else annotation
