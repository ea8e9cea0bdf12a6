"""The placeholders `{{ ... }}` of prefect.yaml: what they stand for, where that is known, and those that stand for nothing.

Prefect replaces one that nothing gives a value with an empty text, in silence. `{{ $NAME }}` is taken from the pool's own
environment and not from the shell, so that whoever types `up` gets the same platform.
"""

import re
from collections.abc import Iterator, Mapping

from platformctl.model.spec import KeyPath
from platformctl.spec.problems import Problem, nearest

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.\-\[\]$]+)\s*\}\}")
"""As Prefect finds them."""
_AT_DEPLOY = ("prefect.blocks.", "prefect.variables.")
"""What Prefect looks up when it registers a deployment."""
_LATER = ("pull", "triggers", "ctx.")
"""Keys whose placeholders a run or an event fills in; and the placeholders that a worker does."""


def fill_in(entry: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, object]:
    """Return a deployment with its variables replaced. environment: of its pool."""
    return {key: value if key in _LATER else _filled(value, environment) for key, value in entry.items()}


def find_unknown(entry: Mapping[str, object], environment: Mapping[str, str], pool: str) -> list[Problem]:
    """Return a problem for each placeholder that nothing gives a value."""
    texts = ((path, text) for key, value in entry.items() if key not in _LATER for path, text in _texts((key,), value))
    return [
        Problem(path, _unknown(name, environment, pool))
        for path, text in texts
        for name in _PLACEHOLDER.findall(text)
        if not name.startswith((*_AT_DEPLOY, "ctx.")) and name[1:] not in environment
    ]


def find_references(entry: Mapping[str, object]) -> frozenset[str]:
    """Return the variables and blocks of Prefect that a deployment refers to, such as `prefect.variables.NAME`."""
    texts = (text for key, value in entry.items() if key not in _LATER for _, text in _texts((key,), value))
    names = (name for text in texts for name in _PLACEHOLDER.findall(text))
    return frozenset(name for name in names if name.startswith(_AT_DEPLOY))


def fill_references(entry: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Return a deployment with its references replaced, each that is all of a text by the value as it is."""
    return {key: value if key in _LATER else _replaced(value, values) for key, value in entry.items()}


def has_placeholder(value: object) -> bool:
    """Whether a value is a text that Prefect fills in."""
    return isinstance(value, str) and _PLACEHOLDER.search(value) is not None


def _filled(value: object, environment: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _filled(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environment) for item in value]
    if not isinstance(value, str):
        return value
    return _PLACEHOLDER.sub(lambda found: environment.get(found[1].removeprefix("$"), found[0]), value)


def _replaced(value: object, values: Mapping[str, object]) -> object:
    if isinstance(value, dict):
        return {key: _replaced(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    if whole and whole[1] in values:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), value)


def _texts(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _texts((*path, str(key)), item)


def _unknown(name: str, environment: Mapping[str, str], pool: str) -> str:
    if not name.startswith("$"):
        return f"nothing gives {{{{ {name} }}}} a value; expected prefect.variables.NAME or prefect.blocks.TYPE.NAME"
    near = nearest(name[1:], list(environment))
    return f"{{{{ {name} }}}} is not in [pools.{pool}.environment] of platform.toml, where it is taken from{near}"
