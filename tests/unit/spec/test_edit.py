"""Edits of platform.toml: what was there stays there, comments and order too."""

from pathlib import Path

from platformctl.spec.edit import edit_keys, remove_table
from platformctl.spec.load import load_project
from projects import SPEC, write_project


def test_a_changed_key_keeps_its_comment(tmp_path: Path) -> None:
    write_project(tmp_path)

    lines = edit_keys(tmp_path, None, {("pools", "dev", "workers"): 4})

    assert lines == ["pools.dev.workers: 1 -> 4"]
    assert (tmp_path / "platform.toml").read_text() == SPEC.replace("workers = 1   # one", "workers = 4   # one")


def test_a_new_key_stands_above_the_comments_behind_its_table(tmp_path: Path) -> None:
    behind = "# limit = 10\n\n# [env.prod.server]\n# port = 4300\n"
    write_project(tmp_path, f"{SPEC}\n[pools.etl]\nworkers = 2\n{behind}")

    assert edit_keys(tmp_path, None, {("pools", "etl", "type"): "process"}) == ['pools.etl.type = "process"']
    assert (tmp_path / "platform.toml").read_text() == f'{SPEC}\n[pools.etl]\nworkers = 2\ntype = "process"\n{behind}'


def test_a_new_pool_is_a_table_of_its_own(tmp_path: Path) -> None:
    write_project(tmp_path)

    lines = edit_keys(tmp_path, None, {("pools", "etl", "workers"): 2, ("pools", "etl", "limit"): 3})

    assert lines == ["pools.etl.workers = 2", "pools.etl.limit = 3"]
    assert (tmp_path / "platform.toml").read_text() == SPEC + "\n[pools.etl]\nworkers = 2\nlimit = 3\n"


def test_what_is_so_already_changes_nothing(tmp_path: Path) -> None:
    write_project(tmp_path)
    before = (tmp_path / "platform.toml").stat().st_mtime_ns

    assert edit_keys(tmp_path, None, {("pools", "dev", "workers"): 1, ("pools", "dev", "limit"): None}) == []
    assert (tmp_path / "platform.toml").stat().st_mtime_ns == before


def test_none_removes_a_key(tmp_path: Path) -> None:
    write_project(tmp_path)

    assert edit_keys(tmp_path, None, {("pools", "prod", "limit"): None}) == ["pools.prod.limit: 10 removed"]
    assert load_project(tmp_path).spec.pools["prod"].limit is None


def test_an_overlay_is_edited_where_it_is_chosen(tmp_path: Path) -> None:
    write_project(tmp_path, SPEC + "\n[env.prod.server]\nport = 4300\n")

    assert edit_keys(tmp_path, "prod", {("pools", "dev", "workers"): 7}) == ["env.prod.pools.dev.workers = 7"]
    assert load_project(tmp_path, "prod").spec.pools["dev"].workers == 7
    assert load_project(tmp_path).spec.pools["dev"].workers == 1


def test_a_removed_pool_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    write_project(tmp_path)
    edit_keys(tmp_path, None, {("pools", "etl", "workers"): 2})

    assert remove_table(tmp_path, None, ("pools", "etl"))
    assert (tmp_path / "platform.toml").read_text() == SPEC
    assert not remove_table(tmp_path, None, ("pools", "etl"))
