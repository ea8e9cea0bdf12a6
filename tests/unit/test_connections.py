"""The real ways to the outside world: asked at the address that platform.toml publishes, with the platform's password."""

import base64
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from platformctl.commands.real_connections import RealConnections
from platformctl.spec.load import Project, load_project
from platformctl.state.secrets import read_secrets, write_secrets
from projects import SPEC, write_project


@pytest.fixture
def project(tmp_path: Path, httpserver: HTTPServer) -> Project:
    """Give a platform without secrets yet, whose server's port somebody listens on."""
    spec = SPEC.replace("[images", f"[server]\nport = {httpserver.port}\n\n[images", 1)
    return load_project(write_project(tmp_path, spec))


def test_without_secrets_there_is_no_api(project: Project) -> None:
    assert RealConnections().api(project) is None


def test_the_api_is_asked_at_the_published_address_with_the_password(project: Project, httpserver: HTTPServer) -> None:
    write_secrets(project)
    user = read_secrets(project.secrets).api_auth.get_secret_value()
    words = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
    httpserver.expect_request("/api/ready", headers=words).respond_with_data("")
    off = {"detail": "CSRF protection is disabled."}
    httpserver.expect_request("/api/csrf-token", headers=words).respond_with_json(off, status=422)
    httpserver.expect_request("/api/work_pools/prod", method="PATCH", headers=words).respond_with_data(status=204)

    api = RealConnections().api(project)
    assert api
    assert api.is_ready()
    RealConnections().client(project).update_pool("prod", {"concurrency_limit": 3})
    httpserver.check_assertions()


def test_another_runtime_than_the_file_asks_for_can_be_named(project: Project) -> None:
    connections = RealConnections()
    assert [connections.runtime(project, name).name for name in ("local", "docker")] == ["local", "docker"]
    assert connections.former_runtime(project, connections.runtime(project, "docker")) is None
