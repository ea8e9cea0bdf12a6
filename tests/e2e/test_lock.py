"""`lock`: images are what their registry says, and containers are of what was locked."""

from e2e.conftest import NewStack
from e2e.stack import Stack
from e2e.waiting import step
from platformctl.spec.locked import read_digests, write_digests


def images_of(stack: Stack) -> dict[str, str]:
    return {service: instance.image for service, instance in stack.instances().items()}


def test_a_platform_runs_the_images_that_were_locked(new_docker_stack: NewStack) -> None:
    stack = new_docker_stack(workers=0)
    assert stack.ctl("lock", "--check").code == 3
    stack.must("lock")
    digests = read_digests(stack.folder)
    assert {image.partition(":")[0] for image in digests} == {"postgres", "prefecthq/prefect"}
    assert stack.ctl("lock", "--check").code == 0
    stack.must("up")
    assert {image for image in images_of(stack).values() if not image.startswith(stack.name)} == {
        f"{image}@{digest}" for image, digest in digests.items()
    }
    assert stack.ctl("plan", "--check").code == 0
    step("A digest that the registry doesn't have is refused, and what runs is left alone.")
    before = stack.starts()
    write_digests(stack.folder, dict.fromkeys(digests, f"sha256:{'0' * 64}"))
    result = stack.ctl("up")
    assert result.code == 1
    assert "can't be pulled" in result.err
    assert stack.starts() == before
