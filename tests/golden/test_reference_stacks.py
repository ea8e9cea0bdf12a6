"""compose/ holds what a reader wants to see of what the examples render to; a change of a template shows in it.

That is compose.yaml, what it mounts, and the Dockerfiles. The rest of a build context is in the repository already, and digests
are left out.
"""

import re
from pathlib import Path, PurePosixPath

import pytest
import yaml

from golden_check import Golden
from platformctl.runtimes.docker.bundle import describe_docker, render_compose
from platformctl.spec.load import load_project
from projects import content_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ["quickstart", "production"]
SHOWN = ["/compose.yaml", "/deployments/*", "/images/*/Dockerfile"]


def without_digests(text: bytes) -> bytes:
    """What an image or a service is made from changes with each change of the worker's package, and tells a reader nothing."""
    return re.sub(rb"\b[0-9a-f]{12}\b", b"DIGEST", text)


def is_shown(path: str) -> bool:
    return any(PurePosixPath("/", path).match(pattern) for pattern in SHOWN)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_reference_stack_is_what_its_example_renders_to(name: str, golden: Golden) -> None:
    files = render_compose(describe_docker(load_project(ROOT / "examples" / name)))
    folder = ROOT / "compose" / name

    shown = {path: content_of(files, path) for path in files if is_shown(path)}
    for path, content in shown.items():
        golden(folder / path, without_digests(content))
    committed = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert committed == set(shown), "remove what is left over"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_service_is_hardened_and_can_be_operated(name: str) -> None:
    services = yaml.safe_load((ROOT / "compose" / name / "compose.yaml").read_text())["services"]

    for service, content in services.items():
        assert content["cap_drop"] == ["ALL"], service
        assert content["read_only"] is True, service
        assert content["security_opt"] == ["no-new-privileges:true"], service
        assert content["mem_limit"], service
        assert content["logging"]["options"]["max-size"], service
        assert content["restart"] == ("no" if service.startswith(("migrate", "deploy")) else "unless-stopped"), service
        assert content["restart"] == "no" or content["healthcheck"]["test"], service
        assert {"io.platformctl.platform", "io.platformctl.service", "io.platformctl.release"} <= set(content["labels"])
    assert all(binding.startswith("127.0.0.1:") for binding in services["server"]["ports"])
    assert "ports" not in services["database"]
