"""Changes to platform.toml that keep its comments and its order: what a command wants differently is written there."""

from collections.abc import Mapping
from pathlib import Path

import tomlkit

from platformctl.errors import SpecError
from platformctl.files import replace_file
from platformctl.model.spec import KeyPath, Value
from platformctl.spec.load import FILE_NAME, read_text

_TRIVIA = (tomlkit.items.Comment, tomlkit.items.Whitespace)


def edit_keys(root: Path, env: str | None, changes: Mapping[KeyPath, Value]) -> list[str]:
    """Set keys of platform.toml, or of its overlay `env`; a value of None removes the key.

    changes: path of a key, from the top, to its new value. Returns a line for each key that changed, `old -> new`.
    The file is replaced in one step, or left as it was.
    """
    file = root / FILE_NAME
    document = _parse(file)
    prefix = ("env", env) if env else ()
    lines = [line for path, value in changes.items() if (line := _set(document, (*prefix, *path), value))]
    if lines:
        replace_file(file, tomlkit.dumps(document))
    return lines


def remove_table(root: Path, env: str | None, path: KeyPath) -> bool:
    """Remove a table of platform.toml, from the file's own tables and from the overlay `env`; True if there was one."""
    file = root / FILE_NAME
    document = _parse(file)
    prefixes: list[KeyPath] = [(), ("env", env)] if env else [()]
    removed = [_remove(document, (*prefix, *path)) for prefix in prefixes]
    if any(removed):
        replace_file(file, tomlkit.dumps(document).rstrip() + "\n")
    return any(removed)


def _parse(file: Path) -> tomlkit.TOMLDocument:
    """A file that is TOML, and that tomlkit doesn't understand, is its user's to edit."""
    try:
        return tomlkit.parse(read_text(file))
    except tomlkit.exceptions.TOMLKitError as error:
        raise SpecError(
            f"{file.name} can't be edited: {error}", remedy=f"Make the change in {file} yourself."
        ) from error


def _set(document: tomlkit.TOMLDocument, path: KeyPath, value: Value) -> str | None:
    table = _open_table(document, path[:-1])
    key, name = path[-1], ".".join(path)
    held = table.get(key)
    old = held.unwrap() if isinstance(held, tomlkit.items.Item) else held
    if (old == value and type(old) is type(value)) or (old is None and value is None):
        return None
    if value is None:
        del table[key]
        return f"{name}: {_show(old)} removed"
    if old is not None:
        table[key] = value
        return f"{name}: {_show(old)} -> {_show(value)}"
    _add(table, key, value)
    return f"{name} = {_show(value)}"


def _add(table: dict[str, object], key: str, value: Value) -> None:
    """Add a key right below the table's others: the comments behind them may be about what follows."""
    if not isinstance(table, tomlkit.items.Table):
        table[key] = value
        return
    body, behind = table.value.body, []
    while body and isinstance(body[-1][1], _TRIVIA):
        behind.append(body.pop()[1])
    table[key] = value
    for item in reversed(behind):
        table.append(None, item)


def _show(value: object) -> str:
    return tomlkit.item(getattr(value, "value", value)).as_string()


def _open_table(document: tomlkit.TOMLDocument, path: KeyPath) -> dict[str, object]:
    table: dict[str, object] = document
    for depth, key in enumerate(path):
        if key not in table:
            is_last = depth == len(path) - 1
            table[key] = tomlkit.table(is_super_table=not is_last)
            if is_last and document is not table:
                _separate(document)
        table = table[key]  # type: ignore[assignment]  # a table of tables, by construction
    return table


def _separate(document: tomlkit.TOMLDocument) -> None:
    """A blank line belongs above a new table; tomlkit leaves that to its caller."""
    text = document.as_string()
    if not text.endswith("\n"):
        document.add(tomlkit.nl())


def _remove(document: tomlkit.TOMLDocument, path: KeyPath) -> bool:
    table: object = document
    for key in path[:-1]:
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict) or path[-1] not in table:
        return False
    del table[path[-1]]
    return True
