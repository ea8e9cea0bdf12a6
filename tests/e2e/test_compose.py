"""The rendered bundle without platformctl: plain `docker compose up`."""

from testcontainers.compose import DockerCompose

from e2e.conftest import NewStack
from e2e.waiting import step, wait_for


def test_the_bundle_comes_up_with_plain_compose(new_docker_stack: NewStack) -> None:
    stack = new_docker_stack()
    stack.must("render")
    stack.must("build-image")
    assert stack.instances() == {}
    step("Compose brings the folder up, and waits.")
    with DockerCompose(stack.bundle, wait=True):
        assert stack.server.is_ready()
        worker = f"{stack.name}-worker-default-1"
        wait_for("the worker is online", stack.server.workers, lambda seen: seen.get(worker) == "ONLINE")
    assert (stack.instances(), stack.machine.volumes()) == ({}, [])
