"""Secrets are made once, differ between platforms, and other users of the host can't reach them."""

from pathlib import Path

from platformctl.secrets import missing_secrets, read_secrets, unwritten_secrets, write_secrets


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    write_secrets(tmp_path / "secrets")
    first = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    write_secrets(tmp_path / "secrets")

    assert {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()} == first
    assert unwritten_secrets(tmp_path / "secrets") == ()


def test_the_folder_is_closed_and_containers_can_read_the_files(tmp_path: Path) -> None:
    write_secrets(tmp_path / "secrets")

    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o444}


def test_two_platforms_share_no_secret(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_secrets(tmp_path / name)
    a, b = read_secrets(tmp_path / "a"), read_secrets(tmp_path / "b")

    values = {secret.get_secret_value() for held in (a, b) for secret in (held.database_password, held.api_password)}
    assert len(values) == 4
    assert all(len(value) >= 32 for value in values)
    assert not any(value in repr(a) for value in values)


def test_a_lost_profile_is_made_again_from_the_same_secret(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    before = (tmp_path / "client.toml").read_text()
    (tmp_path / "client.toml").unlink()

    assert missing_secrets(tmp_path) == ()
    assert unwritten_secrets(tmp_path) == ("client.toml",)
    write_secrets(tmp_path)
    assert (tmp_path / "client.toml").read_text() == before


def test_clients_get_no_database_password(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    database, api = (tmp_path / "database_password").read_text(), (tmp_path / "api_password").read_text()

    assert database not in (tmp_path / "client.toml").read_text()
    assert api in (tmp_path / "client.toml").read_text()
    assert database in (tmp_path / "server.toml").read_text()
