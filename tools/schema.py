"""The JSON Schema of platform.toml, made from its models; editors complete from it.

`make golden` writes it to templates/platform.schema.json, which goes into each bundle. No command makes it: that takes a
tenth of a second.
"""

import ast
import inspect
import itertools
from typing import Any

from pydantic import BaseModel

from platformctl.model import spec as models
from platformctl.model.spec import Spec

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Return the schema of platform.toml: the models', with `x-` keys free and overlays in which nothing is required."""
    schema = Spec.model_json_schema()
    definitions: Schema = schema["$defs"]
    for model, definition in [(Spec, schema), *((getattr(models, name), found) for name, found in definitions.items())]:
        _describe(model, definition)
    root = {key: value for key, value in schema.items() if key != "$defs"}
    overlays = {f"{name}Overlay": _relaxed(definition) for name, definition in definitions.items()}
    definitions |= {name: _open(definition) for name, definition in (definitions | overlays).items()}
    definitions["Overlay"] = _open(_relaxed(root))
    root["properties"] |= {
        "env": {
            "type": "object",
            "description": "Overlays: `platformctl --env NAME` merges [env.NAME] into the rest.",
            "additionalProperties": {"$ref": "#/$defs/Overlay"},
        }
    }
    top = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_open(root), "title": "platform.toml"}
    return {**top, "$defs": definitions}


def _describe(model: type[BaseModel], definition: Schema) -> None:
    """Give each key the line that stands below it in the model's source.

    Pydantic can do that itself, but reads the source whenever the models are imported, a tenth of a second each time.
    """
    (tree,) = ast.parse(inspect.getsource(model)).body
    for above, below in itertools.pairwise(tree.body if isinstance(tree, ast.ClassDef) else ()):
        if isinstance(above, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            definition["properties"][ast.unparse(above.target)]["description"] = below.value.value


def _open(definition: Schema) -> Schema:
    return {**definition, "patternProperties": {"^x-": {}}} if "properties" in definition else definition


def _relaxed(definition: Schema) -> Schema:
    """The same without required keys, and of tables that are the same."""
    return {key: _redirect(value) for key, value in definition.items() if key != "required"}


def _redirect(value: object) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return {
            key: f"{item}Overlay" if key == "$ref" else _redirect(item)
            for key, item in value.items()
            if key != "default" or not isinstance(item, dict)
        }
    return [_redirect(item) for item in value] if isinstance(value, list) else value
