"""What a template prints of a value is that value, whatever stands in it."""

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from platformctl.model.spec import Spec
from platformctl.runtimes.docker.bundle import describe_docker, render_compose
from platformctl.spec.load import load_project
from platformctl.templates import _one_line, _yaml_scalar
from projects import content_of, write_project

_FREE = {"pools.*.environment.*", "pools.*.description"}
"""What may have several lines: it is only ever printed as JSON."""


@pytest.mark.parametrize(
    "text",
    ["null", "true", "No", "y", "~", "1e3", "0x1", "12", "12:30", "a: b", "a #b", "- a", "", "a\nb", "é", ".inf"],
)
def test_a_text_in_yaml_stays_that_text(text: str) -> None:
    assert yaml.safe_load(f"key: {_yaml_scalar(text)}\n") == {"key": text}


@pytest.mark.parametrize("text", ["acme", "worker-null-1", "./images/etl", "../secrets/x", "1g", "unless-stopped"])
def test_a_plain_text_is_printed_plain(text: str) -> None:
    assert _yaml_scalar(text) == text
    assert yaml.safe_load(f"key: {text}\n") == {"key": text}


def test_no_text_makes_a_line_of_its_own_elsewhere() -> None:
    with pytest.raises(ValueError, match="more than one line"):
        _one_line("python:3\nRUN rm -rf /")


@pytest.mark.parametrize("name", ["null", "true", "no", "y", "on", "e1"])
def test_names_that_mean_something_else_in_yaml_are_names(tmp_path: Path, name: str) -> None:
    spec = f'[platform]\nname = "{name}"\n[images.{name}]\nflows = "flows"\n[pools.{name}]\n'
    stack = describe_docker(load_project(write_project(tmp_path, spec)))
    content: Any = yaml.safe_load(content_of(render_compose(stack), "compose.yaml"))

    assert content["name"] == name
    assert f"worker-{name}-1" in content["services"]
    assert content["services"]["server"]["labels"]["io.platformctl.platform"] == name
    assert all(isinstance(key, str) for key in content["services"])


def texts(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, object]]:
    """Every text of the spec: its path and its type."""
    for name, found in model.model_fields.items():
        kind = typing.Annotated[found.annotation, *found.metadata] if found.metadata else found.annotation
        yield from _texts_of(kind, f"{path}{name}")


def _texts_of(kind: object, path: str) -> Iterator[tuple[str, object]]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from texts(kind, f"{path}.")
    elif origin is dict:
        yield from _texts_of(arguments[0], f"{path}[key]")
        yield from _texts_of(arguments[1], f"{path}.*")
    elif (origin is typing.Annotated and arguments[0] is str) or kind is str:
        yield path, kind
    elif origin is not typing.Literal:
        for argument in arguments:
            yield from _texts_of(argument, path)


@pytest.mark.parametrize("kind", [pytest.param(kind, id=path) for path, kind in texts(Spec) if path not in _FREE])
@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\u2028"])
def test_no_text_of_a_spec_holds_a_control_character(kind: object, character: str) -> None:
    for text in (
        f"a{character}b",
        f"{character}",
        f"postgresql://h/n{character}",
        f"::1%{character}",
        f"1g{character}",
    ):
        with pytest.raises(ValidationError):
            TypeAdapter[object](kind).validate_python(text)  # type: ignore[arg-type]  # a type, or an annotation


def test_every_text_of_the_spec_is_looked_at() -> None:
    found = {path for path, _ in texts(Spec)}

    assert found >= _FREE | {"images.*.base", "images.*.dependencies", "images.*.system", "pools.*.preload"}
    assert found >= {"images[key]", "pools[key]", "pools.*.environment[key]", "server.host", "build.index"}
