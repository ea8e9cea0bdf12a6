"""What local processes and builds get of the shell's environment."""

from pathlib import Path

import pytest

from platformctl.adapters.uv import Uv
from platformctl.runtimes.local.inherited import inherited
from telling import read_told, write_telling_package

NEEDED = {
    "PATH": "/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "https_proxy": "http://proxy:3128",
    "SSL_CERT_DIR": "/ca",
}
SECRET = {
    "AWS_SECRET_ACCESS_KEY": "k",
    "GITHUB_TOKEN": "t",
    "PREFECT_API_KEY": "p",
    "UV_DEFAULT_INDEX": "https://user:pass@index.example/simple",
    "PIP_INDEX_URL": "https://user:pass@index.example/simple",
    "SSH_AUTH_SOCK": "/run/agent",
    "PYTHONPATH": "/home/ada",
}


def test_what_the_machine_needs_is_passed_on_and_nothing_else() -> None:
    assert inherited(NEEDED | SECRET) == NEEDED


def test_the_build_of_a_source_distribution_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRET.items():
        monkeypatch.setenv(name, value)
    told = tmp_path / "told"
    requirement = write_telling_package(tmp_path / "telling", told)
    uv = Uv(lambda _: None, inherited())

    uv.create(tmp_path / "environment")
    uv.install(tmp_path / "environment", "--no-index", "--no-cache", requirement)

    seen = read_told(told)
    assert "PATH" in seen
    assert {name: value for name, value in SECRET.items() if seen.get(name) == value} == {}
