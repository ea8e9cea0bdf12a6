"""Bad inputs, drawn: files that are nearly right, files that nobody would write, and folders that hold other things than files.

They are made from the spec's own fields, so a new key is drawn without being named here.
"""

import os
import socket
import stat
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tomlkit
import yaml
from hypothesis import strategies as st
from pydantic import BaseModel

from platformctl.model.spec import Spec
from projects import DEPLOYMENTS, FLOW, SPEC

NASTY = (
    *(
        "",
        " ",
        "null",
        "true",
        "~",
        "-",
        "=",
        "0",
        "1e9",
        "{0}",
        "{VARIABLE}",
        "%s",
        "$HOME",
        "${HOME}",
        "$(id)",
        "`id`",
    ),
    *(
        "a\nb",
        "a\r\nRUN id",
        "a\0b",
        "\x1b[31m",
        "\u2028",
        "\ufeff",
        "\u202e",
        "é",
        "日本",
        "😀",
        "a" * 300,
        "'",
        '"',
        "\\",
    ),
    *(
        "..",
        ".",
        "/",
        "/etc/passwd",
        "../x",
        "../../../../x",
        ".platform",
        ".platform/secrets",
        "flows/..",
        "~root",
        "//x",
    ),
    *("postgresql://u:pa55word@h/d", "postgresql://u:${P}@h/d", "postgresql://[::1", "http://u:pa55word@h", "::1%\n"),
    *(
        "x:y",
        "x@sha256:0",
        "UPPER/case",
        "a:b:c",
        "registry:5000/x/y:1",
        "3.8.8",
        "3.9",
        "postgres:17",
        "4g",
        "0m",
        "1" * 5000,
    ),
)
"""Texts that have broken something somewhere."""
GOOD: dict[str, tuple[object, ...]] = {
    "name": ("acme",), "prefect": ("3.8.8", "3.7.8"), "runtime": ("auto",), "host": ("127.0.0.1", "::1"), "port": (4200,),
    "image": ("pipelines", "postgres:17"), "memory": ("1g", "512m"), "requirements": ("requirements.txt", "uv.lock"),
    "flows": ("flows", "."), "dependencies": (["rich"],), "system": (["git"],), "workers": (1, 0), "type": ("warm", "process"),
    "url": ("postgresql://u:${P}@h/d",), "ca": ("ca.pem",), "run_memory": ("64m",), "preload": (["json"],), "paused": (True,),
    "repository": ("r.example/x",), "environment": ({"A": "b"},), "on_stop": ("finish",),
}  # fmt: skip
"""Values that a key takes: most of a file is right, so that what is behind the first check is reached too."""

_texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))
texts = st.deferred(lambda: _texts)  # a strategy that fails is printed, and this one shortly
scalars = st.one_of(
    texts, st.integers(), st.sampled_from([2**70, -1, 0]), st.floats(), st.booleans(), st.dates(), st.times()
)
_values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
values = st.deferred(lambda: _values)


def _table(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    keys = {name: _field(name, field.annotation) for name, field in model.model_fields.items()}
    known = st.fixed_dictionaries({}, optional=keys)
    return st.one_of(
        known, known, st.builds(lambda table, more: table | more, known, st.dictionaries(texts, values, max_size=2))
    )


def _field(name: str, kind: object) -> st.SearchStrategy[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return st.one_of(_table(kind), _table(kind), _table(kind), values)
    inner = typing.get_args(kind)[-1] if typing.get_origin(kind) is dict else None
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        names = st.one_of(st.sampled_from(["pipelines", "dev", "null", "server"]), texts)
        return st.one_of(st.dictionaries(names, _table(inner), max_size=3), values)
    good = st.sampled_from(GOOD[name]) if name in GOOD else st.integers(1, 9)
    return st.one_of(good, good, good, values)


def _spec_table() -> st.SearchStrategy[dict[str, Any]]:
    base = {"platform": {"name": "acme"}, "images": {"pipelines": {"flows": "flows"}}, "pools": {"dev": {}, "prod": {}}}
    overlays = st.dictionaries(st.one_of(st.just("prod"), texts), st.one_of(_table(Spec), values), max_size=2)
    drawn = st.builds(lambda table, env: table | ({"env": env} if env else {}), _table(Spec), overlays)
    return st.builds(lambda table: base | table, drawn)


def _toml(table: dict[str, Any]) -> str:
    try:
        return tomlkit.dumps(table)
    except (ValueError, tomlkit.exceptions.TOMLKitError, UnicodeError):
        return repr(table)  # what TOML can't hold makes a file that isn't TOML


def _yaml(document: object) -> str:
    try:
        return yaml.safe_dump(document, sort_keys=False)
    except yaml.YAMLError:
        return repr(document)  # as above


@st.composite
def damaged(draw: st.DrawFn, original: st.SearchStrategy[str]) -> bytes:
    """A text, whole or with a few places where something is missing, twice there or put in."""
    text = draw(original)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        start, length = draw(st.integers(0, len(text))), draw(st.integers(0, 20))
        put = draw(st.one_of(st.just(""), st.just(text[start : start + length] * 2), texts, st.sampled_from(_PIECES)))
        text = text[:start] + put + text[start + length :]
    encoding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-16", "utf-8-sig"]))
    return text.encode(encoding, "surrogatepass")


_PIECES = (
    "[[", "]]", "[a]\n[a]\n", "a.b.c = 1\n", '"""', "'''", "[" * 300, "{" * 300, "a = [1,\n", "&a ", "*a", "<<: *a", "!!int ''",
    "!!timestamp x", "? ", ": ", "- - - ", "|\n ", ">-\n", "%YAML 9\n---\n", "---\n", "!!python/object:x y", "!!binary x", "\t",
    "!!set {a, b}", "2001-13-01", "0x" + "f" * 5000, "&a [*a]", "deployments: &a\n- *a\n", "#", "\0", "x-a = 1\n",
)  # fmt: skip
"""Pieces of TOML and YAML whose meaning isn't plain."""

specs = st.one_of(
    damaged(_spec_table().map(_toml)), damaged(_spec_table().map(_toml)), damaged(st.just(SPEC)), st.binary(max_size=60)
)

_entries = st.fixed_dictionaries(
    {},
    optional={
        "name": st.one_of(st.just("nightly"), values),
        "entrypoint": st.one_of(st.just("flows/hello.py:hello"), values),
        "work_pool": st.one_of(st.just({"name": "prod"}), st.fixed_dictionaries({"name": values}), values),
        **dict.fromkeys(("parameters", "schedules", "pull", "tags", "description", "version"), values),
    },
)
_documents = st.fixed_dictionaries(
    {"deployments": st.one_of(st.lists(_entries, max_size=3), values)},
    optional=dict.fromkeys(("name", "build", "push", "pull", "definitions", "prefect-version"), values),
)
deployments = st.one_of(
    damaged(_documents.map(_yaml)), damaged(st.just(DEPLOYMENTS)), damaged(values.map(_yaml)), st.binary(max_size=60)
)

_PLACES = (
    *(
        "platform.toml",
        "prefect.yaml",
        "requirements.txt",
        "uv.lock",
        "pyproject.toml",
        "ca.pem",
        "flows",
        "flows/hello.py",
    ),
    *("flows/sub", "flows/sub/data.bin", "flows/.hidden", "flows/__pycache__", "flows/caf\udce9.py", "flows/a\nb.py"),
    *(
        ".platform",
        ".platform/secrets",
        ".platform/secrets/server.toml",
        ".platform/secrets/api_password",
        ".platform/bundle",
    ),
    *(".platform/bundle/compose.yaml", ".platform/bundle/images", ".platform/.gitignore", "flows/" + "x" * 250),
)
_TARGETS = (
    "..",
    ".",
    "/etc",
    "/etc/passwd",
    "/dev/zero",
    "/nowhere",
    "hello.py",
    "../platform.toml",
    "../.platform",
    ".platform",
)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # an address has at most 108 bytes
    try:
        socket.socket(socket.AF_UNIX).bind(path.name[:100])
    finally:
        os.chdir(here)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(64 * 2**20)


_DEEDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": lambda path: path.mkdir(parents=True),
    "socket": _socket,
    "empty": Path.touch,
    "noise": lambda path: path.write_bytes(b"\xff\xfe\0\n"),
    "large": _large,
    "closed": lambda path: path.touch(mode=0),
    **{f"link to {target}": (lambda path, target=target: path.symlink_to(target)) for target in _TARGETS},  # type: ignore[misc]  # a default binds it
}


_INWARDS = ["nothing", *sorted(name for name in _DEEDS if "/etc" not in name)]
"""What may be done where platformctl writes: nothing that leads to this machine's own files."""
_DONE = {
    place: st.sampled_from(_INWARDS if place.startswith(".platform") else ["nothing", *sorted(_DEEDS)])
    for place in _PLACES
}
folders = st.lists(
    st.sampled_from(_PLACES).flatmap(lambda place: st.tuples(st.just(place), _DONE[place])), min_size=1, max_size=3
)
_FILES = {
    "uv.lock": "",
    "pyproject.toml": "[project]\n",
    "ca.pem": "certificate",
    "prefect.yaml": DEPLOYMENTS,
    "requirements.txt": "rich\n",
}


def write_bad_project(folder: Path, spec: bytes, prefect_yaml: bytes | None, deeds: list[tuple[str, str]]) -> None:
    """Write a project, and put other things in some of its places."""
    (folder / "flows").mkdir()
    (folder / "flows" / "hello.py").write_text(FLOW)
    for name, text in _FILES.items():
        (folder / name).write_text(text)
    (folder / "platform.toml").write_bytes(spec)
    if prefect_yaml is not None:
        (folder / "prefect.yaml").write_bytes(prefect_yaml)
    for number, (place, deed) in enumerate(deeds):
        _do(folder, folder / place, deed, number)


def _do(folder: Path, path: Path, deed: str, number: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            path.rename(folder.parent / f"gone-{number}")
        if deed != "nothing":
            _DEEDS[deed](path)
    except OSError:
        return  # an earlier one has left no place for it


def tree(folder: Path, skipped: str | None = None) -> dict[str, tuple[int, object]]:
    """Return what is in a folder: path to type and permissions, and what it holds. skipped: what of it is left out."""
    found = dict(_tree(folder))
    return {path: held for path, held in found.items() if not skipped or not path.startswith(str(folder / skipped))}


def _tree(folder: Path) -> Iterator[tuple[str, tuple[int, object]]]:
    for parent, names, files in os.walk(folder):
        for name in (*names, *files):
            path = Path(parent, name)
            status = path.lstat()
            is_small = stat.S_ISREG(status.st_mode) and status.st_size < 2**20
            yield str(path), (status.st_mode, path.read_bytes() if is_small else None)
