"""Build secrets: completed from the environment, written where no other user can read."""

from pathlib import Path

import pytest

from platformctl.errors import SpecError
from platformctl.spec.load import load_project
from platformctl.state.build_secrets import build_secrets
from projects import SPEC, write_project

BUILD = '\n[build]\nindex = "https://user:${TOKEN}@index.example/simple"\nca = "ca.pem"\n'


def test_the_index_is_completed_from_the_environment(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, SPEC + BUILD, ca_pem="certificate"))

    secrets = build_secrets(project, {"TOKEN": "t0p"})

    assert secrets["index"].read_text() == "https://user:t0p@index.example/simple"
    assert secrets["index"].stat().st_mode & 0o777 == 0o600
    assert secrets["ca"].read_text() == "certificate"


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, SPEC + BUILD, ca_pem="certificate"))

    with pytest.raises(SpecError, match=r"\$\{TOKEN\}, which isn't set"):
        build_secrets(project, {})
