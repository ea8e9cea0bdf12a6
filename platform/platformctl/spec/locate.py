"""Where something stands in the text of platform.toml: the line of a key, and of what isn't TOML."""

import re
from contextlib import suppress
from pathlib import Path

import tomlkit

from platformctl.errors import SpecError
from platformctl.model.spec import KeyPath

_MARK = "platformctl-looks-for-this-value"


def find_line(text: str, path: KeyPath) -> int:
    """Return the line, from 1, that holds the key at a path of a TOML text, or its nearest parent; 1 where none does.

    The value is swapped for a mark in a copy of the document, whose layout tomlkit keeps: the mark's line is the key's.
    A file that tomlkit doesn't understand has problems all the same: then it is 1.
    """
    with suppress(Exception):
        return _find_line(text, path)
    return 1


def _find_line(text: str, path: KeyPath) -> int:
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


def syntax_error(file: Path, text: str, error: ValueError) -> SpecError:
    """Return the error for a file that isn't TOML, with the line that the parser names; its text may be a password's."""
    found = re.search(r" \(at line (\d+), column \d+\)", str(error))
    line = int(found[1]) if found else text.count("\n") + 1
    reason = re.sub(r" \(at .*\)$", "", str(error))
    said = f"{file.name}:{line}: not TOML: {reason}"
    return SpecError(said, remedy=f"Correct line {line} of {file}; nothing was changed.")
