"""The quickstart is what `platformctl init` writes."""

import json
import re
from pathlib import Path

import pytest

from golden_check import Golden
from platformctl.commands.init import init_project
from platformctl.errors import UsageError

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"


def test_the_quickstart_is_what_init_writes(tmp_path: Path, golden: Golden) -> None:
    for path in init_project(tmp_path, "quickstart"):
        golden(QUICKSTART / path, (tmp_path / path).read_bytes())


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "prefect.yaml").write_text("mine")

    (tmp_path / "requirements.txt").touch()

    with pytest.raises(UsageError, match=rf"^{tmp_path} holds requirements.txt, prefect.yaml already\.$"):
        init_project(tmp_path, None)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefect.yaml", "requirements.txt"]
    assert (tmp_path / "prefect.yaml").read_text() == "mine"


def test_init_keeps_a_gitignore_and_makes_folders(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "flows"
    folder.mkdir(parents=True)
    (folder / ".gitignore").write_text("mine\n")
    (folder / "flows").mkdir()

    written = init_project(folder, "etl")

    assert written == ["platform.toml", "requirements.txt", "flows/hello.py", "prefect.yaml"]
    assert (folder / ".gitignore").read_text() == "mine\n"
    assert 'name = "etl"' in (folder / "platform.toml").read_text()


def test_editors_find_the_schema_that_the_first_line_names(tmp_path: Path) -> None:
    init_project(tmp_path, "etl")
    named = re.search(r"#:schema (\S+)", (tmp_path / "platform.toml").read_text())
    assert named
    assert json.loads((tmp_path / named[1]).read_bytes())["properties"]["platform"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("My Flows 2", "my-flows-2"),
        ("2025", "platform"),
        ("--", "platform"),
        ("_x.Y_", "x-y"),
        (29 * "a" + "_bc", 29 * "a"),
    ],
)
def test_a_platform_is_named_after_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    init_project(tmp_path / folder, None)

    assert f'name = "{name}"' in (tmp_path / folder / "platform.toml").read_text()
