"""The package's own modules as syntax trees, and what each imports."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import prefect_warm_worker

PACKAGE = "prefect_warm_worker"
_HOME = Path(prefect_warm_worker.__file__).parent


def read_trees() -> dict[str, ast.Module]:
    """Return the syntax tree of every module by its name; a folder has the name of its package."""
    files = {_name(file): file for file in sorted(_HOME.rglob("*.py"))}
    return {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in files.items()}


def _name(file: Path) -> str:
    parts = (PACKAGE, *file.relative_to(_HOME).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the full names of all that a module imports, anywhere in it: modules, and names of modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "an import names its module in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def arrows(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return for each module those of the package's others that it imports."""
    return {name: {found for each in imported(tree) if (found := _module(each, trees))} for name, tree in trees.items()}


def _module(imported: str, trees: Mapping[str, ast.Module]) -> str | None:
    """The module of the package that an imported name is, or is of; None for others' names."""
    name = imported if imported in trees else imported.rpartition(".")[0]
    return name if name in trees and name != PACKAGE else None
