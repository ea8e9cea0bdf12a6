"""Reading a YAML file that somebody else wrote: one that holds itself, or far more than it seems to, is refused unread."""

import json
from dataclasses import dataclass
from datetime import date

import yaml

_DEPTH, _NODES = 50, 100_000
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlTextError(Exception):
    """What is wrong with a text, in words, and in which line."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


def load_yaml(text: str) -> object:
    """Return what a YAML text holds; raises YamlTextError for one that isn't YAML, or that JSON can't hold."""
    try:
        _check_size(text)
        content = yaml.load(text, Loader=_LOADER)  # noqa: S506  # a safe one, in C where there is it
        canonical_json(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlTextError(f"not YAML: {error.problem or error.context}", mark.line + 1 if mark else 1) from error
    except yaml.YAMLError as error:
        raise YamlTextError(f"not YAML: {error}", 1) from error
    except (
        ValueError,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:  # values such as a 13th month
        raise YamlTextError(f"a value can't be read as its type: {error}", 1) from error
    return content


def canonical_json(content: object) -> str:
    """Return the JSON of what a YAML text holds, with sorted keys: the same for the same content."""
    return json.dumps(_plain(content), sort_keys=True, default=_text)


def _text(value: object) -> str:
    """Dates as JSON has them, and what else YAML knows."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain(value: object) -> object:
    """JSON's keys are texts, and its sets have an order."""
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set):
        return sorted(str(item) for item in value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _key(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


@dataclass
class _Node:
    """A collection that is being read: how many nodes it holds by now, all aliases replaced, and how deep they are."""

    anchor: str | None
    nodes: int = 1
    depth: int = 1

    def take(self, nodes: int, depth: int) -> None:
        self.nodes, self.depth = self.nodes + nodes, max(self.depth, depth + 1)


def _check_size(text: str) -> None:
    """Refuse, by its events alone, a text whose objects would be endless, too many or too deep; a parser may not survive it."""
    open_, anchors = [_Node(None)], dict[str | None, _Node]()
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append(_Node(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = open_.pop()
            anchors[closed.anchor] = closed
            open_[-1].take(closed.nodes, closed.depth)
        elif isinstance(event, yaml.AliasEvent):
            if any(node.anchor == event.anchor for node in open_):
                raise YamlTextError(f"the alias *{event.anchor} refers to itself", line)
            meant = anchors.get(event.anchor, _Node(None))
            open_[-1].take(meant.nodes, meant.depth)
        elif isinstance(event, yaml.ScalarEvent):
            anchors[event.anchor] = _Node(None)
            open_[-1].take(1, 0)
        if sum(node.nodes for node in open_) > _NODES or len(open_) + open_[-1].depth > _DEPTH:
            raise YamlTextError(
                f"it holds more than {_NODES} values or {_DEPTH} levels, with its aliases replaced", line
            )
