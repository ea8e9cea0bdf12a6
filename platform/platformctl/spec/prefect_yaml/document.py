"""The file prefect.yaml as it is read, and the lines of it that are wrong."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from platformctl.errors import SpecError
from platformctl.files import read_small_text
from platformctl.model.spec import KeyPath
from platformctl.spec.contents import check_inside
from platformctl.spec.prefect_yaml.yaml_text import YamlTextError, load_yaml
from platformctl.spec.problems import Problem, listed_error

FILE_NAME = "prefect.yaml"


@dataclass(frozen=True, slots=True)
class Document:
    """What prefect.yaml holds. file: where it is. text: empty where there is none."""

    file: Path
    text: str
    content: Mapping[str, object]

    @property
    def entries(self) -> list[dict[str, object]]:
        """Its deployments as they stand there; raises SpecError where that is no list of mappings."""
        entries = self.content.get("deployments") or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.error([Problem(("deployments",), "deployments must be a list of mappings")])
        return entries

    def error(self, problems: Sequence[Problem]) -> SpecError:
        """Return the error that lists problems of it, with their lines."""
        return listed_error(self.file, problems, lambda path: find_line(self.text, path))


def read_document(root: Path) -> Document:
    """Read a folder's prefect.yaml; raises SpecError for what can't be read, and for what isn't a mapping."""
    file = root / FILE_NAME
    if not os.path.lexists(file):
        return Document(file, "", {})
    check_inside(root, file, FILE_NAME)
    remedy = f"Correct {file}; nothing was changed."
    try:
        text = read_small_text(file)
        content = load_yaml(text)
    except YamlTextError as error:
        raise SpecError(f"{FILE_NAME}:{error.line}: {error.reason}", remedy=remedy) from error
    except (OSError, ValueError) as error:
        raise SpecError(f"{FILE_NAME} can't be read as a text in UTF-8: {error}", remedy=remedy) from error
    if not isinstance(content, dict | None):
        raise SpecError(f"{FILE_NAME}: expected a mapping with `deployments`", remedy=remedy)
    return Document(file, text, content or {})


def find_line(text: str, path: KeyPath) -> int:
    """Return the line, from 1, of what a path of keys and numbers leads to in a YAML text, or of its nearest parent."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), 1
    for part in path:
        found = _child(node, part)
        if found is None:
            return line
        mark, node = found
        line = mark.line + 1
    return line


def _child(node: yaml.Node | None, part: str) -> tuple[yaml.Mark, yaml.Node] | None:
    """A child of a node, and where it begins: its key, or the item itself."""
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item.start_mark, item
    pairs = list(_pairs(node)) if isinstance(node, yaml.MappingNode) else []
    return next(((key.start_mark, value) for key, value in pairs if key.value == part), None)


def _pairs(mapping: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """A mapping's own keys, then those that it merges from others."""
    merged = [value for key, value in mapping.value if key.tag == "tag:yaml.org,2002:merge"]
    yield from (pair for pair in mapping.value if pair[0].tag != "tag:yaml.org,2002:merge")
    for value in merged:
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(source, yaml.MappingNode):
                yield from _pairs(source)
