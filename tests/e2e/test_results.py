"""Persisted results: each pool has its own, and what all pools shared before is in each."""

from docker import DockerClient

from e2e.conftest import NewStack
from e2e.docker_machine import LABEL, DockerMachine
from e2e.waiting import step

KEY = "/var/lib/prefect/results/key"


def test_no_pool_overwrites_what_another_reads_and_shared_results_are_kept(
    new_docker_stack: NewStack, engine: DockerClient
) -> None:
    stack = new_docker_stack()
    machine = stack.machine
    assert isinstance(machine, DockerMachine)
    stack.edit("[pools.default]", "[pools.other]\nworkers = 1\n\n[pools.default]")
    step("A volume is there that an older version made for all pools.")
    shared = engine.volumes.create(f"{stack.name}_results", labels={f"{LABEL}.platform": stack.name})
    write = f"echo shared > {KEY} && chown -R 10001:10001 {KEY.rpartition('/')[0]}"
    mounts = {shared.name: {"bind": KEY.rpartition("/")[0], "mode": "rw"}}
    engine.containers.run("postgres:18", ["sh", "-c", write], entrypoint="", remove=True, volumes=mounts)
    stack.must("up")
    assert [machine.execute(f"worker-{pool}-1", "cat", KEY) for pool in ("default", "other")] == ["shared", "shared"]
    step("From now on each writes to its own.")
    machine.execute("worker-default-1", "sh", "-c", f"echo overwritten > {KEY}")
    assert machine.execute("worker-other-1", "cat", KEY) == "shared"
    expected = ["database-18", "leases", "results", "results-default", "results-other"]
    assert machine.volumes() == [f"{stack.name}_{name}" for name in expected]
    assert stack.ctl("plan", "--check").code == 0
