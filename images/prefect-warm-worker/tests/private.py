"""Which names are private, and which of those a class has."""

import ast
import inspect
import textwrap
from collections.abc import Iterator


def is_private(name: str) -> bool:
    """Whether a name is none of an interface."""
    return name.startswith("_") and not name.endswith("__")


def names_of(*types: type) -> set[str]:
    """Return the private names that classes define, and those that they use of their instances."""
    return {name for type_ in types for name in _names(type_) if is_private(name)}


def _names(type_: type) -> Iterator[str]:
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(type_)))):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
