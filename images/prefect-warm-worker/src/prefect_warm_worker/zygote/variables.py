"""Environment variables that libraries set when they are imported: a run whose zygote imported them has them too."""

import os
from collections.abc import Mapping

_changed: dict[str, tuple[str | None, str | None]] = {}
"""Variables with what they were and what they became; None for one that isn't set."""


def note_changes(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Note what the imports have changed. before, after: all variables."""
    _changed.update({name: (before.get(name), after.get(name)) for name in before.keys() | after.keys()})
    for name in [name for name, (was, now) in _changed.items() if was == now]:
        del _changed[name]


def repeat_changes() -> None:
    """Change them again where they are as they were."""
    for name, (was, now) in _changed.items():
        if os.environ.get(name) == was:
            if now is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = now
