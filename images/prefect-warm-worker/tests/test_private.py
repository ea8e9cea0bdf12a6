"""What Prefect keeps private is touched in one folder, `_prefect`, and nowhere else in the package."""

import ast
import re
import sys

from prefect_warm_worker.worker.configuration import WarmJobConfiguration, WarmVariables
from prefect_warm_worker.worker.warm import WarmWorker
from private import is_private, names_of
from sources import PACKAGE, imported, read_trees

ADAPTER = f"{PACKAGE}._prefect"
OUTSIDE = {name: tree for name, tree in read_trees().items() if not name.startswith(ADAPTER)}
HEIRS = (WarmWorker, WarmJobConfiguration, WarmVariables)
"""The classes that inherit from Prefect's."""


def test_no_private_module_or_name_of_prefect_is_imported_elsewhere() -> None:
    found = {
        f"{module} imports {name}"
        for module, tree in OUTSIDE.items()
        for name in imported(tree)
        if name.startswith("prefect.") and any(is_private(word) for word in name.split("."))
    }
    assert found == set()


def test_no_text_names_a_private_module_of_prefect_elsewhere() -> None:
    found = {
        f"{module}: {node.value!r}"
        for module, tree in OUTSIDE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and re.search(r"\bprefect\.(\w+\.)*_", str(node.value))
    }
    assert found == set()


def root(node: ast.expr) -> str:
    """Return the name that a chain of attributes and calls begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def test_no_private_attribute_of_others_is_used_elsewhere() -> None:
    found = {
        f"{module}: {ast.unparse(node)}"
        for module, tree in OUTSIDE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and is_private(node.attr)
        if ast.unparse(node.value) not in {"self", "cls", "super()"} and root(node.value) not in sys.stdlib_module_names
    }
    assert found == set()


def test_no_heir_uses_or_replaces_what_its_ancestors_keep_private() -> None:
    for heir in HEIRS:
        ancestors = [each for each in heir.__mro__ if each.__module__.startswith("prefect.")]
        own = [each for each in heir.__mro__ if each.__module__ in OUTSIDE]
        assert names_of(*ancestors), heir
        assert names_of(*own) & names_of(*ancestors) == set()
