"""platform.lock: read, written, and what is said of one that somebody has broken."""

from pathlib import Path

import pytest

from platformctl.errors import SpecError
from platformctl.spec.load import load_project
from platformctl.spec.locked import read_digests, write_digests
from projects import write_project

DIGEST = f"sha256:{'0a' * 32}"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    digests = {"postgres:18": DIGEST, "registry.example:5000/team/base:1.2": DIGEST}
    write_digests(tmp_path, digests)

    assert read_digests(tmp_path) == digests
    assert (tmp_path / "platform.lock").read_text().startswith("# Written by `platformctl lock`")


def test_without_a_lock_every_image_is_its_tag(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path))

    assert project.digests == {}
    assert project.locked("postgres:18") == "postgres:18"


def test_an_image_that_is_locked_is_named_by_its_digest_too(tmp_path: Path) -> None:
    write_digests(write_project(tmp_path), {"postgres:18": DIGEST})
    project = load_project(tmp_path)

    assert project.locked("postgres:18") == f"postgres:18@{DIGEST}"
    assert project.locked("postgres:17") == "postgres:17"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[images\n", "platform.lock can't be used: "),
        ("", "platform.lock can't be used: it has no table [images]"),
        ("images = 1\n", "it has no table [images]"),
        ('[images]\n"postgres:18" = "latest"\n', "the digest of 'postgres:18' is not sha256: and 64"),
        ('[images]\n"postgres:18" = 18\n', "the digest of 'postgres:18' is not sha256: and 64"),
        (f'[images]\n"postgres:18" = "{DIGEST}\\n"\n', "the digest of 'postgres:18' is not sha256: and 64"),
    ],
)
def test_a_lock_that_says_nothing_legal_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    (write_project(tmp_path) / "platform.lock").write_text(text)

    with pytest.raises(SpecError) as failure:
        load_project(tmp_path)

    assert said in failure.value.message
    assert "type `platformctl lock`" in failure.value.remedy
