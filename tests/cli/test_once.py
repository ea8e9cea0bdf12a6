"""A command that has nothing to do reads each file once, and makes each text once."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from commands import Cli
from platformctl.spec.load import load_project
from platformctl.stack.describe import describe_services
from platformctl.stack.images.context import load_images
from platformctl.templates import render_template

WATCHED = {found.__code__: found.__name__ for found in (load_project, load_images, describe_services, render_template)}


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """Count calls of what is watched, a template's by its name."""
    found: Counter[str] = Counter()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in WATCHED:
            found[str(frame.f_locals.get("template", WATCHED[frame.f_code]))] += 1

    sys.setprofile(profile)
    try:
        yield found
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("words", [["up"], ["plan"], ["build-image"]])
def test_nothing_is_read_or_made_twice(running: Cli, words: list[str]) -> None:
    with calls() as found:
        assert running(*words).exit_code == 0

    assert {"load_project", "load_images", "describe_services", "compose/compose.yaml.j2"} <= found.keys()
    assert {name: count for name, count in found.items() if count > 1} == {}
