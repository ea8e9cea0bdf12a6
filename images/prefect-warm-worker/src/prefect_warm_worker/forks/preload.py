"""What a zygote imports ahead of the runs: Prefect's engine, and the libraries that a folder of flows imports."""

import ast
import itertools
import os
import sys
from collections.abc import Iterable, Iterator
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
    "prefect_warm_worker._prefect.answers",
    "prefect_warm_worker._prefect.related",
    "prefect_warm_worker._prefect.suspension",
    "prefect_warm_worker._prefect.workspaces",
    "anyio._backends._asyncio",
    "encodings.idna",
)
"""What every run of Prefect's engine imports."""
_MOST_FILES = 500
"""How many files of flows are read at most: somebody may start a worker in a folder that holds everything."""
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SETTERS = {"putenv", "unsetenv", "load_dotenv"}
_CHANGES = {"setdefault", "update", "pop", "popitem", "clear"}
"""What sets variables: functions, and methods of the environment."""
_NOT_FLOWS = {"__pycache__", "node_modules", "site-packages"}


def find_flows(folder: Path) -> list[Path]:
    """Return the Python files below a folder, hidden ones and those of environments left out."""
    return list(itertools.islice(_walk(folder), _MOST_FILES))


def find_libraries(folder: Path, files: Iterable[Path]) -> list[str]:
    """Return the modules that a folder's Python files import at their top, sorted: those of others only.

    The folder's own modules are left out, so that each run reads them as they are then, and so is the standard library.
    """
    files = list(files)
    own = {name for file in files for name in (file.stem, *file.relative_to(folder).parts)}
    found = {module for file in files for module, _ in _imports(file)}
    return sorted(module for module in found if module.split(".")[0] not in own | set(sys.stdlib_module_names))


def find_late(files: Iterable[Path]) -> dict[str, str]:
    """Return what Python files import only after they have set variables, which it may read then; with the reason.

    Imported ahead it would have read what was there before, as numpy's OpenBLAS does with OMP_NUM_THREADS.
    """
    late = [(file, module) for file in files for module, is_late in _imports(file) if is_late]
    return {
        name: f"{file.name} sets variables before it imports it"
        for file, module in late
        for name in (module.split(".")[0], module)
    }


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NOT_FLOWS)
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        yield from (Path(place, name) for name in sorted(files) if name.endswith(".py") and not name.startswith("."))


def _imports(file: Path) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports at its top, and whether it has set variables before."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return  # its own run will say so
    is_late = False
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from ((name.name, is_late) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, is_late
        elif not isinstance(node, _DEFINITIONS):
            is_late = is_late or any(map(_sets_variable, ast.walk(node)))


def _sets_variable(node: ast.AST) -> bool:
    """Whether a part of a statement changes the environment."""
    match node:
        case ast.Subscript(value=of, ctx=ast.Store() | ast.Del()):
            return _is_environment(of)
        case ast.Call(func=ast.Attribute(value=of, attr=name)):
            return name in _SETTERS or (name in _CHANGES and _is_environment(of))
        case ast.Call(func=ast.Name(id=name)):
            return name in _SETTERS
    return False


def _is_environment(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in {"environ", "environb"}
    return False
