"""The reference of platform.toml as a page, made from its JSON Schema: `make golden` writes it to docs/platform.toml.md."""

from typing import Any

from schema import json_schema

_TABLES = (
    ("platform", "Platform"),
    ("server", "Server"),
    ("database", "Database"),
    ("build", "Build"),
    ("images.NAME", "Image"),
    ("pools.NAME", "Pool"),
)
_HEAD = """\
# platform.toml

Every table and key. Unknown keys are refused, with the nearest valid one; keys that begin with `x-` are yours. Names of
the platform, images and pools are at most 30 lower-case letters, digits and hyphens, a letter first.

`[env.NAME]` holds an overlay: the same tables, merged over the rest by `platformctl --env NAME`. An overlay is a platform of
its own, named PLATFORM-NAME unless it sets `platform.name`, with its own secrets and data.
"""


def reference_page() -> str:
    """Return the page, in Markdown."""
    definitions = json_schema()["$defs"]
    return "\n".join([_HEAD, *(_section(table, definitions[model]) for table, model in _TABLES)])


def _section(table: str, definition: dict[str, Any]) -> str:
    required = definition.get("required", [])
    rows = [_row(key, value, is_required=key in required) for key, value in definition["properties"].items()]
    head = [
        f"## [{table}]",
        "",
        definition["description"],
        "",
        "| key | default | what it changes |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, ""])


def _row(key: str, value: dict[str, Any], *, is_required: bool) -> str:
    default = "required" if is_required else _default(value.get("default"))
    return f"| `{key}` | {default} | {value['description']} |"


def _default(value: object) -> str:
    """Return a default as TOML has it; empty where there is none, or a list or table that begins empty."""
    if value in (None, "") or isinstance(value, (list, dict)):
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"
