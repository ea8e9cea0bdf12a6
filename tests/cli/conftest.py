"""Command lines on folders, over fakes."""

from pathlib import Path

import pytest

from commands import Cli
from projects import DEPLOYMENTS, fake_workspace, write_project


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Return a command line on a folder with two pools and a deployment."""
    write_project(tmp_path, prefect_yaml=DEPLOYMENTS)
    return Cli(tmp_path, *fake_workspace(tmp_path))


@pytest.fixture
def running(cli: Cli) -> Cli:
    """Return a command line on a folder whose platform is up."""
    assert cli("up").exit_code == 0
    cli.fakes.engine.calls.clear()
    return cli
