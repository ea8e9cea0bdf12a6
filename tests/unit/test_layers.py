"""The library is layers: imports go down only, and no two folders import each other."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

LIBRARY = Path(__file__).parents[2] / "platform" / "platformctl"
LAYERS = ("commands", "plan", "state", "runtimes", "adapters", "stack", "spec", "model", "ground")
"""From the top floor down. The ground is what stands in the library's own folder."""
WITHIN_ADAPTERS = {"adapters", "model", "ground"}
"""What adapters may import: they know values and errors, and nothing of what is made of them."""


def module_name(file: Path) -> str:
    return ".".join(("platformctl", *file.relative_to(LIBRARY).with_suffix("").parts)).removesuffix(".__init__")


def imports() -> Iterator[tuple[str, str]]:
    """Every import of one module of the library by another, as names."""
    for file in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("platformctl."):
                yield module_name(file), node.module
            if isinstance(node, ast.Import):
                yield from (
                    (module_name(file), name.name) for name in node.names if name.name.startswith("platformctl.")
                )


def layer_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (LIBRARY / parts[1]).is_dir() else "ground"


def test_every_folder_is_a_layer() -> None:
    folders = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").is_file()}

    assert folders == set(LAYERS) - {"ground"}


def test_no_import_goes_up() -> None:
    upwards = [
        f"{importer} imports {imported}"
        for importer, imported in imports()
        if LAYERS.index(layer_of(imported)) < LAYERS.index(layer_of(importer))
    ]
    assert not upwards


def test_adapters_know_only_values_and_errors() -> None:
    beyond = [
        f"{importer} imports {imported}"
        for importer, imported in imports()
        if layer_of(importer) == "adapters" and layer_of(imported) not in WITHIN_ADAPTERS
    ]
    assert not beyond


def test_no_folder_and_no_module_is_in_a_circle() -> None:
    modules: dict[str, set[str]] = {}
    folders: dict[str, set[str]] = {}
    for importer, imported in imports():
        modules.setdefault(importer, set()).add(imported)
        if layer_of(importer) != layer_of(imported):
            folders.setdefault(layer_of(importer), set()).add(layer_of(imported))

    assert list(TopologicalSorter(modules).static_order())
    assert list(TopologicalSorter(folders).static_order())
