"""The JSON Schema that editors complete from: made from the models, shipped, and right about real files."""

import tomllib
from pathlib import Path

import jsonschema
import pytest

from projects import SPEC
from schema import json_schema

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/platform.toml")), ids=lambda file: file.parent.name)
def test_every_example_fits_the_schema(file: Path) -> None:
    jsonschema.validate(tomllib.loads(file.read_text(encoding="utf-8")), json_schema())


def test_overlays_need_nothing_and_private_keys_are_free() -> None:
    content = tomllib.loads(
        SPEC + "\n[env.prod.platform]\nprefect = '3.8.8'\n[env.prod.pools.dev]\nx-note = 1\n[x-any]\na = 1\n"
    )

    jsonschema.validate(content, json_schema())


@pytest.mark.parametrize(
    "wrong", ["[pools.dev]\nwrokers = 1\n", "[env.prod.server]\nprot = 1\n", "[server]\nport = 0\n"]
)
def test_what_the_tool_refuses_the_schema_refuses(wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads('[platform]\nname = "a"\n' + wrong), json_schema())
