"""What is made of the parameters that are typed for a flow run, by the schema of its deployment."""

from pathlib import Path
from typing import Any

import pytest

from platformctl.commands.parameters import describe_parameters, read_parameters
from platformctl.errors import UsageError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "default": "lake"},
        "number": {"type": "integer"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "many": {"type": "array", "items": {"type": "integer"}, "default": [1]},
        "when": {"type": "string", "format": "date-time"},
        "mode": {"$ref": "#/definitions/Mode"},
        "place": {"$ref": "#/definitions/Place"},
        "flag": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        "any": {},
    },
    "required": ["number"],
    "definitions": {
        "Mode": {"enum": ["full", "delta"]},
        "Place": {"type": "object", "properties": {"port": {"type": "integer"}}, "required": ["port"]},
    },
}
DEPLOYMENT: dict[str, Any] = {"parameters": {"number": 7}, "parameter_openapi_schema": SCHEMA}


def read(*typed: str, file: Path | None = None, **others: object) -> dict[str, object]:
    return read_parameters("etl/nightly", DEPLOYMENT | others, typed, file)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("text=5", "5"),
        ("text=true", "true"),
        ('text="quoted"', "quoted"),
        ('text={"a": 1}', '{"a": 1}'),
        ("text=", ""),
        ("number=5", 5),
        ("either=5", 5),
        ("either=five", "five"),
        ("maybe=5", "5"),
        ("maybe=null", None),
        ("many=[1, 2]", [1, 2]),
        ("when=2026-01-01", "2026-01-01"),
        ("mode=full", "full"),
        ('place={"port": 1}', {"port": 1}),
        ("any=5", 5),
        ("any=a=b", "a=b"),
        (
            'number={"__prefect_kind": "jinja", "template": "{{ 1 }}"}',
            {"__prefect_kind": "jinja", "template": "{{ 1 }}"},
        ),
    ],
)
def test_a_value_is_what_the_schema_takes(typed: str, value: object) -> None:
    assert read(typed) == {typed.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("number=soon", "number: 'soon' is not of type 'integer'"),
        ("number=1.5", "number: 1.5 is not of type 'integer'"),
        ("many=[1, true]", "many.1: True is not of type 'integer'"),
        ("mode=ful", "mode: 'ful' is not one of ['full', 'delta']"),
        ('place={"port": "x"}', "place.port: 'x' is not of type 'integer'"),
        ("flag=soon", "flag: 'soon' is not of any type that it takes"),
        ("txet=lake", "txet: there is none of this name; did you mean 'text'?"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(typed: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read(typed)
    first, second, *rest = error.value.message.splitlines()
    assert (first, second) == ("etl/nightly doesn't take these parameters:", f"  {said}")
    assert rest == describe_parameters(DEPLOYMENT)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(UsageError) as error:
        read("number=soon", "txet=1", parameters={})
    assert {"number", "txet"} <= {line.split(":")[0].strip() for line in error.value.message.splitlines()}


def test_a_parameter_that_is_needed_must_be_given_unless_the_deployment_does() -> None:
    assert read() == {}
    with pytest.raises(UsageError, match="number: it must be given"):
        read(parameters={})


def test_a_deployment_that_checks_no_types_takes_any_value_of_its_parameters() -> None:
    assert read("number=soon", enforce_parameter_schema=False) == {"number": "soon"}
    with pytest.raises(UsageError, match="none of this name"):
        read("txet=1", enforce_parameter_schema=False)


def test_parameters_are_shown_with_types_and_defaults() -> None:
    assert describe_parameters(DEPLOYMENT) == [
        "It takes:",
        '  text    string              default "lake"',
        "  number  integer             default 7",
        "  either  integer or string",
        "  maybe   string or null      default null",
        "  many    array of integer    default [1]",
        "  when    string (date-time)",
        '  mode    "full" or "delta"',
        "  place   Place",
        "  flag    integer or boolean",
        "  any     any",
    ]
    assert "  number  integer             required" in describe_parameters(DEPLOYMENT | {"parameters": {}})
    assert describe_parameters({}) == ["It takes no parameters."]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", '{"number": 3,\n\t"text": "5"}'),
        ("p.yaml", "number: 3\ntext: '5'\n"),
        ("p", "{number: 3, text: '5'}"),
    ],
)
def test_a_file_holds_parameters_and_what_is_typed_comes_before(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert read(file=file) == {"number": 3, "text": "5"}
    assert read("number=4", file=file) == {"number": 4, "text": "5"}


def test_a_date_in_yaml_is_its_text(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("when: 2026-01-31\nany: [2026-01-31T06:00:00]\n")
    assert read(file=file) == {"when": "2026-01-31", "any": ["2026-01-31T06:00:00"]}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.json", "{\n'a': 1}", "p.json:2: not JSON"),
        ("p.yaml", "a: 1\nb: [", "p.yaml:3: not YAML"),
        ("p.yaml", "- 1\n", "p.yaml holds no mapping"),
        ("p.yaml", "", "p.yaml holds no mapping"),
        ("p.yaml", "number: soon\n", "number: 'soon' is not of type 'integer'"),
        ("gone.yaml", None, "gone.yaml can't be read: No such file or directory"),
    ],
)
def test_a_file_that_holds_none_is_refused(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as error:
        read(file=tmp_path / name)
    assert said in error.value.message
    assert "No flow run was started." in error.value.remedy
