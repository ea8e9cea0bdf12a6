"""What is wrong with a platform.toml before its keys are read, and what an error shows of what it found."""

import os
from pathlib import Path

import pytest

from platformctl.errors import PlatformError, UsageError
from platformctl.runtimes.docker.bundle import describe_docker
from platformctl.runtimes.local.bundle import describe_local
from platformctl.spec.load import load_project
from platformctl.spec.problems import nearest_word, unknown_name
from platformctl.spec.reserved import TUNABLE, instead_of
from projects import SPEC, write_project


def refused(folder: Path, text: str, env: str | None = None) -> PlatformError:
    write_project(folder, text)
    with pytest.raises(PlatformError) as raised:
        load_project(folder, env)
    assert raised.value.exit_code == 2
    return raised.value


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://prefect:pa55word@db.example/prefect",
        "postgresql://prefect:pa55word@${HOST}/prefect",
        "postgresql://prefect:pa55/word@{0}/{VARIABLE}",
        "mysql://prefect:pa55word db.example/prefect",
    ],
)
def test_a_wrong_database_url_is_explained_and_its_password_isnt_shown(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, SPEC + f'\n[database]\nurl = "{url}"\n')

    assert "platform.toml:16: database.url is a text that may hold a password" in error.message
    assert "postgresql://USER:${VARIABLE}@HOST:PORT/NAME" in error.message
    assert "pa55" not in error.message + error.remedy


def test_a_line_that_is_not_toml_is_numbered_and_not_shown(tmp_path: Path) -> None:
    error = refused(tmp_path, SPEC + '\n[database]\nurl = "postgresql://prefect:pa55word\n')

    assert "platform.toml:16: not TOML" in error.message
    assert "pa55" not in error.message


def test_no_error_shows_the_password_of_a_url() -> None:
    error = UsageError(
        "Neither http://me:pa55@word@host/ nor postgresql://me:${NAME}@host/.", remedy="Ask x://a:b/c@h."
    )

    assert error.message == str(error) == "Neither http://me:***@host/ nor postgresql://me:${NAME}@host/."
    assert error.remedy == "Ask x://a:***@h."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[platform]\nname = "a"\nname = "b"\n', "platform.toml:3: not TOML: Cannot overwrite a value"),
        ("a = [\n\n", "platform.toml:3: not TOML"),
        ("\ufeff" + SPEC, "platform.toml:1: the file begins with a byte order mark"),
        ("a = " + "[" * 500 + "]" * 500, "nested more than 20 levels deep"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested more than 20 levels deep"),
        (".".join(["a"] * 5000) + " = 1\n", "nested more than 20 levels deep"),
        ("a = " + "9" * 5000, "platform.toml:1: not TOML"),
        (SPEC + "\n[env]\nprod = 3\n", "env must hold tables"),
        (SPEC + '\n[env."../../x".server]\nport = 1\n', "'../../x' under [env] is not a legal name"),
        ("[networks]\n" + SPEC, "unknown key 'networks'; valid here: platform, server"),
        (SPEC + '\n[server]\nmemory = "' + "m" * 5000 + '"\n', 'mmm...", expected a size'),
    ],
)
def test_what_is_not_a_spec_is_one_error(tmp_path: Path, text: str, said: str) -> None:
    message = refused(tmp_path, text).message

    assert said in message
    assert len(message) < 1000


@pytest.mark.parametrize(
    ("variable", "instead"),
    [
        ("PREFECT_API_URL", "workers are told where the platform's server is"),
        ("PREFECT_API_AUTH_STRING", "its password"),
        ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "the keys of [server] and [database]"),
        ("PREFECT_HOME", "a folder of the worker's own"),
        ("PREFECT_PROFILES_PATH", "holds its password"),
        ("PREFECT_WARM_WORKER_GRACE", "the pool's keys grace"),
    ],
)
def test_what_is_the_platforms_own_is_no_pools(tmp_path: Path, variable: str, instead: str) -> None:
    error = refused(tmp_path, SPEC + f'\n[pools.prod.environment]\nMINE = "1"\n{variable} = "x"\n')

    assert f"platform.toml:17: pools.prod.environment sets {variable}, which the platform sets itself" in error.message
    assert instead in error.message
    assert "MINE" not in error.message


def test_all_that_a_worker_is_told_is_the_platforms_or_may_be_tuned(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, SPEC + "\n[pools.warm]\npreload = []\nrun_seconds = 9\n"))
    stacks = (describe_docker(project), describe_local(project))
    told = {
        name for stack in stacks for found in stack.services if found.role == "worker" for name in found.environment
    }

    assert {name for name in told if not instead_of(name)} == {*TUNABLE, "DO_NOT_TRACK", "PYTHONUNBUFFERED"}
    assert not any(
        instead_of(name) for name in ("PREFECT_LOGGING_LEVEL", "PREFECT_RESULTS_PERSIST_BY_DEFAULT", "HOMEPAGE")
    )


def test_an_overlay_can_not_lead_out_of_the_project(tmp_path: Path) -> None:
    env = "../../../outside"

    refused(tmp_path / "a" / "project", SPEC + f'\n[env."{env}".platform]\nname = "x"\n', env)

    assert not list(tmp_path.rglob("outside"))


def test_many_problems_are_not_all_listed(tmp_path: Path) -> None:
    error = refused(tmp_path, SPEC + "".join(f"key{number} = 1\n" for number in range(500)))

    assert error.message.count("unknown key") == 20
    assert error.message.endswith("... and 480 more")


def test_a_pipe_and_a_file_that_nobody_wrote_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "platform.toml")
    with pytest.raises(UsageError, match="not a regular file"):
        load_project(tmp_path)

    (tmp_path / "platform.toml").unlink()
    with (tmp_path / "platform.toml").open("wb") as file:
        file.truncate(3 * 2**30)
    with pytest.raises(UsageError, match="3072 MiB"):
        load_project(tmp_path)


def test_a_folder_that_is_a_link_to_itself_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(PlatformError):
        load_project(tmp_path / "loop")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("wrokers", "workers"), ("prt", "port"), ("servr", "server"), ("networks", None), ("secrets", None), ("x", None)],
)
def test_only_what_has_most_of_its_letters_is_suggested(word: str, meant: str | None) -> None:
    assert nearest_word(word, ["workers", "server", "port", "platform", "images", "pools"]) == meant


def test_the_remedy_follows_the_suggestion() -> None:
    assert unknown_name("No pool", "prd", ["prod"], remedy="Create it.").remedy == "Name 'prod' instead."
    assert unknown_name("No pool", "etl", ["prod"], remedy="Create it.").remedy == "Create it."
