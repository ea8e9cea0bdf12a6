"""The URL of a database of the user's own: what is accepted, what is shown of it, and what Prefect gets."""

from pathlib import Path

import pytest

from platformctl.model.database import (
    complete_url,
    database_name,
    database_volume,
    is_database_url,
    is_database_volume,
    postgres_major,
)


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


@pytest.mark.parametrize(
    ("image", "major"),
    [
        ("postgres:17", 17),
        ("postgres:18.1-trixie", 18),
        ("hub.example:5000/library/postgres:16-alpine", 16),
        ("pgvector/pgvector:pg17", 17),
        ("timescale/timescaledb:2.22.1-pg18", 18),
        ("postgres:18@sha256:0123abcd", 18),
        ("postgres:latest", None),
        ("hub.example:5000/postgres", None),
        ("postgres@sha256:18ab", None),
    ],
)
def test_the_major_of_postgresql_is_what_the_tag_says(image: str, major: int | None) -> None:
    assert postgres_major(image) == major


def test_each_major_since_18_has_a_volume_of_its_own() -> None:
    volumes = {database_volume(major) for major in (14, 17, 18, 19)}

    assert volumes == {
        ("database", "/var/lib/postgresql/data"),
        ("database-18", "/var/lib/postgresql"),
        ("database-19", "/var/lib/postgresql"),
    }
    assert all(is_database_volume(f"acme_{name}") for name, _ in volumes)
    assert not is_database_volume("acme_results")


def test_a_name_for_people_has_no_password_and_no_user() -> None:
    assert (
        database_name("postgresql://prefect:${PASSWORD}@db.example/prefect") == "PostgreSQL at db.example:5432/prefect"
    )


def test_options_and_ipv6_reach_prefect(tmp_path: Path) -> None:
    url = complete_url("postgres://[::1]/p?ssl=require", {}, tmp_path / "server.toml", tmp_path / "platform.toml")

    assert url == "postgresql+asyncpg://prefect@[::1]:5432/p?ssl=require"
