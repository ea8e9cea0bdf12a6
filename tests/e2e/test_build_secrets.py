"""`[build]`: a private index and its authority reach a build, and nothing of the password stays behind."""

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from e2e.conftest import NewStack
from e2e.index import PACKAGE, Index, serve_index
from e2e.project import PACKAGE as PUBLIC
from e2e.stack import Stack


@pytest.fixture
def index(engine: DockerClient, tmp_path: Path) -> Iterator[Index]:
    """An index at the address that builds see this machine at."""
    gateway = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    with contextlib.ExitStack() as stack:
        try:
            index = stack.enter_context(serve_index(gateway, tmp_path))
        except OSError as error:
            pytest.skip(f"the engine's bridge is not on this machine: {error}")
        yield index


@pytest.fixture
def private(new_docker_stack: NewStack, index: Index) -> Stack:
    """A project whose one dependency only the private index has; nothing is built yet."""
    stack = new_docker_stack()
    stack.edit("[images.pipelines]", '[build]\nindex = "${TEST_INDEX}"\nca = "ca.pem"\n\n[images.pipelines]')
    stack.edit(PUBLIC, f"{PACKAGE}=={index.version}", "requirements.txt")
    stack.edit("import inflection", f"import {PACKAGE}", "flows/hello.py")
    shutil.copy(index.ca, stack.folder / "ca.pem")
    return stack


def test_a_private_index_is_reached_and_its_password_is_in_no_layer(
    private: Stack, index: Index, engine: DockerClient
) -> None:
    result = private.ctl("build-image", environment={"TEST_INDEX": index.url})
    assert result.code == 0, result.said
    assert index.password not in result.said
    (tag,) = private.machine.images()
    image = engine.images.get(tag)
    assert index.password not in json.dumps([image.attrs, image.history()])
    assert not _holds(image.save(), index.password.encode())
    rendered = b"".join(path.read_bytes() for path in private.bundle.rglob("*") if path.is_file())
    assert index.password.encode() not in rendered


def test_an_index_from_a_variable_that_is_not_set_exits_2_and_names_it(private: Stack) -> None:
    result = private.ctl("build-image")
    assert result.code == 2
    assert "${TEST_INDEX}" in result.err
    assert private.machine.images() == []


def test_an_index_that_refuses_the_password_fails_without_showing_it(private: Stack, index: Index) -> None:
    wrong = "not-the-password"
    result = private.ctl("build-image", environment={"TEST_INDEX": index.url.replace(index.password, wrong)})
    assert result.code == 1
    assert "401" in result.err
    assert wrong not in result.said


def _holds(chunks: Iterable[bytes], word: bytes) -> bool:
    """Whether a stream holds a word, be it cut in two by the chunks."""
    end = b""
    for chunk in chunks:
        if word in end + chunk:
            return True
        end = chunk[-len(word) :]
    return False
