"""The function that an entrypoint names, as its source tells without being run: whether it is there, and what it takes."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TYPES = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,), "list": (list,), "dict": (dict,)}
"""The names of types of which every value is known, as JSON has them."""


class NotAFlowError(Exception):
    """Why an entrypoint leads to no flow, a clause. line: of the file with the flow; None where it has none."""

    def __init__(self, reason: str, line: int | None = None, names: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.line, self.names = line, names


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a flow. types: those that its values can be of, as JSON has them; none where that isn't known."""

    name: str
    is_required: bool
    types: tuple[type, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """What a flow takes. takes_any: whether other parameters too."""

    parameters: tuple[Parameter, ...]
    takes_any: bool = False


def read_signature(file: Path, name: str) -> Signature | None:
    """Return what the flow of a name in a file takes; None where that shows only when the file runs.

    Raises NotAFlowError where the file has no such function, or one that is no flow.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        reason = getattr(error, "msg", None) or str(error)
        raise NotAFlowError(f"is not Python: {reason}", getattr(error, "lineno", None)) from error
    bound = dict(_bindings(tree.body))
    if name not in bound and "*" not in bound and "." not in name:
        functions = tuple(found for found, node in bound.items() if isinstance(node, _FUNCTIONS))
        raise NotAFlowError(f"has nothing called {name!r}", None, functions)
    node = bound.get(name)
    if not isinstance(node, _FUNCTIONS):
        return None
    if not node.decorator_list:
        raise NotAFlowError(f"has a function {name!r} that is no flow: it lacks the decorator @flow", node.lineno)
    return _signature(node.args)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _bindings(body: list[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """The names that statements bind, the last one of a name last; `*` for what is imported without being named."""
    for node in body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name.split(".")[0], node) for alias in node.names)
        else:
            for inner in ("body", "orelse", "finalbody"):
                yield from _bindings(getattr(node, inner, []))
            for handler in getattr(node, "handlers", []):
                yield from _bindings(handler.body)
            names = (found for found in ast.walk(node) if isinstance(found, ast.Name))
            yield from ((found.id, node) for found in names if isinstance(found.ctx, ast.Store))


def _signature(args: ast.arguments) -> Signature:
    named = [*args.posonlyargs, *args.args]
    required = [True] * (len(named) - len(args.defaults)) + [False] * len(args.defaults)
    required += [default is None for default in args.kw_defaults]
    found = zip([*named, *args.kwonlyargs], required, strict=True)
    parameters = tuple(Parameter(each.arg, is_required, _types(each.annotation)) for each, is_required in found)
    return Signature(parameters, takes_any=args.kwarg is not None or args.vararg is not None)


def _types(annotation: ast.expr | None) -> tuple[type, ...]:
    """The types of an annotation, if all of it is known."""
    match annotation:
        case ast.Constant(value=None):
            return (type(None),)
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=("list" | "dict") as name)):
            return _TYPES.get(name, ())
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            both = _types(left), _types(right)
            return both[0] + both[1] if all(both) else ()
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return (*found, type(None)) if (found := _types(inner)) else ()
    return ()
