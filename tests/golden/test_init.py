"""The quickstart is what `platformctl init` writes."""

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

    with pytest.raises(UsageError, match=r"holds prefect.yaml already"):
        init_project(tmp_path, None)

    assert [path.name for path in tmp_path.iterdir()] == ["prefect.yaml"]


@pytest.mark.parametrize(("folder", "name"), [("My Flows 2", "my-flows-2"), ("2025", "platform"), ("--", "platform")])
def test_a_platform_is_named_after_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    init_project(tmp_path / folder, None)

    assert f'name = "{name}"' in (tmp_path / folder / "platform.toml").read_text()
