"""The URL of a database of the user's own: what is accepted, what is shown of it, and what Prefect gets."""

from pathlib import Path

import pytest

from platformctl.model.database import complete_url, database_name, is_database_url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://prefect:${PASSWORD}@db.example/prefect",
        "postgres://db.example:6432/prefect?ssl=require",
        "postgresql://prefect@[::1]:5432/prefect",
    ],
)
def test_a_postgresql_with_its_password_left_out_is_accepted(url: str) -> None:
    assert is_database_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://prefect:${PASSWORD}@db.example/prefect",
        "postgresql://prefect:secret@db.example/prefect",
        "postgresql://prefect:${PASSWORD}x@db.example/prefect",
        "postgresql://db.example",
        "postgresql:///prefect",
        "postgresql://db.example:port/prefect",
        "db.example/prefect",
    ],
)
def test_anything_else_is_not(url: str) -> None:
    assert not is_database_url(url)


def test_a_name_for_people_has_no_password_and_no_user() -> None:
    assert (
        database_name("postgresql://prefect:${PASSWORD}@db.example/prefect") == "PostgreSQL at db.example:5432/prefect"
    )


def test_options_and_ipv6_reach_prefect(tmp_path: Path) -> None:
    url = complete_url("postgres://[::1]/p?ssl=require", {}, tmp_path / "server.toml", tmp_path / "platform.toml")

    assert url == "postgresql+asyncpg://prefect@[::1]:5432/p?ssl=require"
