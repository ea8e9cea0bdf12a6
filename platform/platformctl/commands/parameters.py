"""The parameters of a flow run: from what was typed to values, as the schema of the deployment has them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from platformctl.adapters.prefect.ports import Json
from platformctl.errors import UsageError
from platformctl.files import read_small_text
from platformctl.spec.prefect_yaml.yaml_text import YamlTextError, load_yaml
from platformctl.spec.problems import nearest

if TYPE_CHECKING:
    from jsonschema import ValidationError

_TEMPLATE = "__prefect_kind"
"""The key of a value that Prefect fills in when the run begins, whatever it is then."""
_REMEDY = "Correct them: `-p NAME=VALUE`, or in the file of --params. No flow run was started."


def read_parameters(name: str, deployment: Json, typed: Sequence[str], file: Path | None) -> dict[str, object]:
    """Return the parameters of a flow run of a deployment, FLOW/DEPLOYMENT.

    typed: KEY=VALUE each, which come before what the file says. Raises UsageError that lists all that doesn't fit, and what
    the deployment takes.
    """
    schema: Json = deployment.get("parameter_openapi_schema") or {}
    values = read_parameter_file(file) if file else {}
    for item in typed:
        key, text = _split(item)
        values[key] = _value(text, _schema_of(schema, key))
    given = {**(deployment.get("parameters") or {}), **values}
    is_typed = deployment.get("enforce_parameter_schema") is not False
    if wrong := [*_wrong_names(schema, values, given), *(_wrong_values(schema, values) if is_typed else ())]:
        found = "\n".join([f"{name} doesn't take these parameters:", *(f"  {line}" for line in wrong)])
        raise UsageError("\n".join([found, *describe_parameters(deployment)]), remedy=_REMEDY)
    return values


def read_parameter_file(file: Path) -> dict[str, object]:
    """Return the parameters that a file of JSON or YAML holds; raises UsageError where it holds none."""
    remedy = "It must hold a mapping, NAME: VALUE, in JSON or YAML. No flow run was started."
    try:
        text = read_small_text(file)
        content = json.loads(text) if file.suffix == ".json" else load_yaml(text)
    except YamlTextError as error:
        raise UsageError(f"{file}:{error.line}: {error.reason}.", remedy=remedy) from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{file}:{error.lineno}: not JSON: {error.msg}.", remedy=remedy) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"The file of parameters {file} can't be read: {reason}.", remedy=remedy) from error
    if not isinstance(content, dict):
        raise UsageError(f"{file} holds no mapping.", remedy=remedy)
    return {str(key): _as_json(value) for key, value in content.items()}


def describe_parameters(deployment: Json) -> list[str]:
    """Return what a deployment takes, a line for each parameter: its name, its type, and its default."""
    schema: Json = deployment.get("parameter_openapi_schema") or {}
    own = deployment.get("parameters") or {}
    rows = [
        (key, describe_type(found, schema), _default(key, found, schema, own))
        for key, found in (schema.get("properties") or {}).items()
    ]
    names, types = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    lines = [f"  {key:<{names}}  {type_:<{types}}  {default}".rstrip() for key, type_, default in rows]
    return ["It takes:", *lines] if lines else ["It takes no parameters."]


def describe_type(found: Json, schema: Json) -> str:
    """Return what values a part of a schema allows, in a few words. schema: the whole, with its definitions."""
    if reference := found.get("$ref"):
        name = str(reference).rpartition("/")[2]
        target = _definitions(schema).get(name) or {}
        return describe_type(target, schema) if "enum" in target else name
    if "enum" in found or "const" in found:
        return " or ".join(json.dumps(value) for value in found.get("enum", [found.get("const")]))
    for key, between in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
        if found.get(key):
            return between.join(describe_type(each, schema) for each in found[key])
    if found.get("type") == "array" and found.get("items"):
        return f"array of {describe_type(found['items'], schema)}"
    kind = found.get("type") or "any"
    return f"{kind} ({found['format']})" if "format" in found else str(kind)


def _default(key: str, found: Json, schema: Json, own: Mapping[str, object]) -> str:
    if key in own or "default" in found:
        return f"default {json.dumps(own.get(key, found.get('default')), default=str)}"
    return "required" if key in (schema.get("required") or ()) else ""


def _split(item: str) -> tuple[str, str]:
    key, found, value = item.partition("=")
    if not found or not key:
        remedy = "Write it as KEY=VALUE; the value is JSON or a string."
        raise UsageError(f"The parameter {item!r} has no {'value' if key else 'name'}.", remedy=remedy)
    if item != item.encode("utf-8", "replace").decode():
        raise UsageError(f"The parameter {key!r} isn't a text in UTF-8.", remedy="Write it in UTF-8.")
    return key, value


def _value(text: str, schema: Json) -> object:
    """What was typed: as JSON where that is what the schema wants, or else the text itself."""
    try:
        found = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text
    return text if any(_errors(found, schema)) and not any(_errors(text, schema)) else found


def _no_json(word: str) -> object:
    raise ValueError(f"{word} isn't JSON")


def _as_json(value: object) -> object:
    """What YAML holds and JSON doesn't: a date is its text."""
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_as_json(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _wrong_names(schema: Json, values: Mapping[str, object], given: Mapping[str, object]) -> Iterator[str]:
    known = list(schema.get("properties") or {})
    for key in values:
        if key not in known:
            yield f"{key}: there is none of this name{nearest(key, known)}"
    for key in schema.get("required") or ():
        if key not in given:
            yield f"{key}: it must be given, `-p {key}=VALUE`"


def _wrong_values(schema: Json, values: Mapping[str, object]) -> Iterator[str]:
    for key, value in values.items():
        for error in _errors(value, _schema_of(schema, key)):
            yield f"{'.'.join([key, *(str(part) for part in error.absolute_path)])}: {_reason(error)}"


def _reason(error: "ValidationError") -> str:
    return error.message.replace("valid under any of the given schemas", "of any type that it takes")


def _errors(value: object, schema: Json) -> "list[ValidationError]":
    """What is wrong with a value; nothing where only Prefect can tell, which is asked too."""
    if value is None or _TEMPLATE in json.dumps(value, default=str):
        return []
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # a run without parameters doesn't wait for it
    from referencing import Registry  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    try:
        return list(Draft202012Validator(schema, registry=Registry()).iter_errors(value))
    except (Unresolvable, RecursionError):
        return []


def _schema_of(schema: Json, key: str) -> Json:
    """The schema of one parameter, with the definitions that it may refer to."""
    own = (schema.get("properties") or {}).get(key) or {}
    return {"allOf": [own], **{name: schema[name] for name in ("definitions", "$defs") if schema.get(name)}}


def _definitions(schema: Json) -> Json:
    return {**(schema.get("definitions") or {}), **(schema.get("$defs") or {})}
