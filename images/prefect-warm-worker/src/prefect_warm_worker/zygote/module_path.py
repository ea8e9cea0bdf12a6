"""Where a run looks for modules: its folder and its PYTHONPATH, as in an interpreter that starts with them."""

import os
import sys
from pathlib import Path


def set_module_path(folder: str, before: str) -> None:
    """Change `sys.path` to what a new interpreter's would be. before: the PYTHONPATH that this one was started with."""
    old, new = _entries(before), _entries(os.environ.get("PYTHONPATH", ""))
    sys.path[:] = [folder, *new, *(entry for entry in sys.path[1:] if entry not in old + new)]


def _entries(variable: str) -> list[str]:
    return list(dict.fromkeys(str(Path(entry).absolute()) for entry in variable.split(os.pathsep) if entry))
