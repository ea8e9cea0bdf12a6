"""The rendered bundle without platformctl: plain `docker compose up`."""

from testcontainers.compose import DockerCompose

from e2e.conftest import NewStack
from e2e.waiting import step, wait_for


def test_the_bundle_comes_up_with_plain_compose(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.must("render")
    stack.must("build-image")
    assert stack.containers() == {}
    step("Compose brings the folder up, and waits.")
    with DockerCompose(stack.bundle, wait=True):
        assert stack.server.is_ready()
        worker = f"{stack.name}-worker-default-1"
        stack.server.ask("GET", "/admin/version")
        wait_for("the worker is online", stack.server.workers, lambda seen: seen.get(worker) == "ONLINE")
    assert (stack.containers(), stack.volumes()) == ({}, [])
