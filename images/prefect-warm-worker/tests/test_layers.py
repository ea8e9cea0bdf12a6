"""The package is made of layers: imports go down only, and the two sides of a fork know nothing of each other."""

import ast
import graphlib
import importlib.util
import re
import sys
from collections.abc import Iterator

import pytest

from sources import PACKAGE, arrows, imported, read_trees

LAYERS = (
    {"__main__"},
    {"worker", "zygote"},
    {"_prefect"},
    {"forks"},
    {"contract", "orphans", "protocol", "variables"},
    {"snapshots"},
)
"""Folders and modules, the top layer first: what a process is, what Prefect keeps private, forks, and what all may know."""
WITHOUT_PREFECT = LAYERS[3] | LAYERS[4] | LAYERS[5]
LEVEL = {part: level for level, layer in enumerate(LAYERS) for part in layer}
TREES = {name: tree for name, tree in read_trees().items() if name != PACKAGE}
ARROWS = arrows(TREES)


def part(module: str) -> str:
    """Return the folder, or the module beside the folders, that a module is of."""
    return module.split(".")[1]


def test_every_part_has_its_layer() -> None:
    assert {part(name) for name in TREES} == LEVEL.keys()


def test_imports_go_down_only() -> None:
    upwards = [
        f"{module} imports {other}"
        for module, others in ARROWS.items()
        for other in others
        if part(module) != part(other) and LEVEL[part(module)] >= LEVEL[part(other)]
    ]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graphlib.TopologicalSorter(ARROWS).prepare()  # raises CycleError with the circle


def test_a_zygote_loads_nothing_of_the_workers() -> None:
    loaded = {module for start in TREES if part(start) == "zygote" for module in reachable(start)}
    assert {part(module) for module in loaded} == {
        "zygote",
        "_prefect",
        "orphans",
        "protocol",
        "variables",
        "snapshots",
    }


def reachable(module: str) -> set[str]:
    """Return a module with all of the package that it loads."""
    return {module}.union(*(reachable(other) for other in ARROWS[module]))


def test_what_forks_knows_no_prefect() -> None:
    libraries = {
        f"{module} imports {name}"
        for module, tree in TREES.items()
        if part(module) in WITHOUT_PREFECT
        for name in imported(tree)
        if name.split(".")[0] not in {PACKAGE, *sys.stdlib_module_names}
    }
    assert libraries == set()


def named_modules() -> Iterator[str]:
    """Yield the modules of the package that texts in it name: they are run, or imported ahead, by these names."""
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(rf"{PACKAGE}(?:\.\w+)+", node.value)


@pytest.mark.parametrize("name", sorted({*named_modules()}))
def test_a_module_that_a_text_names_is_there(name: str) -> None:
    assert importlib.util.find_spec(name) is not None
