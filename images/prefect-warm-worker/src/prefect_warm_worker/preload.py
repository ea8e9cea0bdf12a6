"""What a zygote imports ahead of the runs: Prefect's engine, and the libraries that a folder of flows imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ENGINE = (
    "prefect.engine",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.task_runners",
    "prefect.deployments.steps.pull",
    "prefect.deployments.steps.core",
    "prefect.events.worker",
    "prefect.logging.handlers",
)
"""What every run of Prefect's engine imports."""


def find_libraries(folder: Path) -> list[str]:
    """Return the modules that the Python files below a folder import at their top, sorted: those of others only.

    The folder's own modules are left out, so that each run reads them as they are then, and so is the standard library.
    """
    files = [
        file
        for file in folder.rglob("*.py")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    own = {name for file in files for name in (file.stem, *file.relative_to(folder).parts)}
    found = {module for file in files for module in _imports(file)}
    return sorted(module for module in found if module.split(".")[0] not in own | set(sys.stdlib_module_names))


def _imports(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return  # its own run will say so
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
