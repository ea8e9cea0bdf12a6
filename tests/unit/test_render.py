"""What a rendered compose.yaml says, where a mistake would be silent."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from platformctl.runtimes.docker.bundle import describe_docker, render_compose
from platformctl.spec.load import load_project
from platformctl.stack.describe import Stack
from platformctl.stack.files import changed_files, write_files
from projects import SPEC, content_of, write_project


def describe(folder: Path, spec: str = SPEC) -> Stack:
    return describe_docker(load_project(write_project(folder, spec)))


def services(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(content_of(render_compose(stack), "compose.yaml"))["services"]
    return found


def test_a_pools_environment_wins_and_its_dollars_are_not_variables(tmp_path: Path) -> None:
    extra = '\n[pools.prod.environment]\nPRICE = "5$ for ${TWO}"\nPREFECT_WORKER_QUERY_SECONDS = "30"\n'
    environment = services(describe(tmp_path, SPEC + extra))["worker-prod-1"]["environment"]

    assert environment["PRICE"] == "5$$ for $${TWO}"
    assert environment["PREFECT_WORKER_QUERY_SECONDS"] == "30"
    assert environment["PREFECT_API_URL"] == "http://server:4200/api"


def test_runs_in_processes_of_their_own_outlast_ten_minutes_without_a_server(tmp_path: Path) -> None:
    found = services(describe(tmp_path, SPEC.replace("limit = 10", 'type = "process"')))
    retries = int(found["worker-prod-1"]["environment"]["PREFECT_CLIENT_MAX_RETRIES"])

    assert sum(2**n for n in range(1, retries + 1)) > 10 * 60
    assert (
        "PREFECT_CLIENT_MAX_RETRIES" not in found["worker-dev-1"]["environment"]
    )  # a warm one, which would ask for less long


def test_a_change_of_one_pool_changes_the_releases_of_its_workers_only(tmp_path: Path) -> None:
    before = {service.name: service.release for service in describe(tmp_path).services}
    after = {
        service.name: service.release
        for service in describe(tmp_path, SPEC.replace("limit = 10", 'memory = "2g"')).services
    }

    assert {name for name in before if before[name] != after[name]} == {"worker-prod-1", "worker-prod-2"}


def test_restarts_and_internal_networks_are_printed_as_the_service_says_and_so_a_part_of_its_release(
    tmp_path: Path,
) -> None:
    stack = describe(tmp_path)
    said = asdict(stack.service("database"))
    assert (said["restart"], said["networks"]) == (
        "unless-stopped",
        ({"name": "data", "is_internal": True, "excludes_host": False},),
    )

    opened = tuple(
        replace(service, restart="no", networks=tuple(replace(found, is_internal=False) for found in service.networks))
        for service in stack.services
    )
    compose = yaml.safe_load(content_of(render_compose(replace(stack, services=opened)), "compose.yaml"))
    assert {service["restart"] for service in compose["services"].values()} == {"no"}
    assert "internal" not in compose["networks"]["data"]


def test_this_machine_has_no_address_on_the_network_that_leads_to_the_server_alone(tmp_path: Path) -> None:
    spec = SPEC.replace("limit = 10", "internet = false")
    networks = yaml.safe_load(content_of(render_compose(describe(tmp_path, spec)), "compose.yaml"))["networks"]

    assert networks["inside"]["internal"] is True
    assert networks["inside"]["driver_opts"] == {"com.docker.network.bridge.inhibit_ipv4": "true"}


def test_a_network_that_platforms_have_already_is_defined_as_ever(tmp_path: Path) -> None:
    networks = yaml.safe_load(content_of(render_compose(describe(tmp_path)), "compose.yaml"))["networks"]

    labels = {"io.platformctl.platform": "acme"}
    assert networks["data"] == {"internal": True, "labels": labels}
    assert networks["platform"] == {"labels": labels}


def test_what_a_service_may_use_is_limited_and_swap_is_no_more_memory(tmp_path: Path) -> None:
    spec = SPEC.replace("limit = 10", 'memory = "2g"\ntmp = "128m"\ncpus = 1.5') + "\n[database]\ncpus = 1\n"
    found = services(describe(tmp_path, spec))

    prod, dev, database = found["worker-prod-1"], found["worker-dev-1"], found["database"]
    assert (prod["mem_limit"], prod["memswap_limit"], prod["cpus"]) == ("2g", "2g", 1.5)
    assert (dev["memswap_limit"], database["cpus"]) == ("1g", 1)
    assert not {"cpus"} & (found["server"].keys() | dev.keys())
    (prod_tmp, prod_home), (dev_tmp, _) = prod["tmpfs"], dev["tmpfs"]
    assert prod_tmp.endswith("tmp:mode=1777,exec,size=128m,nr_inodes=32768")
    assert prod_home == "/home/prefect:uid=10001,gid=10001,mode=0700,size=128m,nr_inodes=32768"
    assert dev_tmp.endswith("tmp:mode=1777,exec,size=256m,nr_inodes=65536")
    unlimited = [
        f"{name} {mount}" for name, service in found.items() for mount in service["tmpfs"] if "size=" not in mount
    ]
    assert unlimited == []


def test_a_pool_without_the_internet_shares_a_network_with_the_server_alone(tmp_path: Path) -> None:
    found = services(describe(tmp_path, SPEC.replace("limit = 10", "internet = false")))
    networks = {name: set(service["networks"]) for name, service in found.items()}

    assert networks["worker-prod-1"] == networks["worker-prod-2"] == {"inside"}
    assert networks["worker-dev-1"] == {"platform"}
    assert networks["server"] == {"data", "inside", "platform"}
    assert networks["database"] == {"data"}


def test_flows_of_such_pools_only_are_registered_without_the_internet_too(tmp_path: Path) -> None:
    pools = (
        '[images.lab]\nflows = "lab"\n\n[pools.lab]\nimage = "lab"\ninternet = false\n',
        '[pools.open]\nimage = "lab"\n',
    )
    spec = SPEC.replace("workers =", 'image = "pipelines"\nworkers =')
    deployments = "deployments:\n- {name: x, entrypoint: 'lab/x.py:x', work_pool: {name: lab}}\n"

    def networks(folder: Path, *more: str) -> list[str]:
        project = write_project(folder, "\n".join([spec, *more]), lab__x_py="", prefect_yaml=deployments)
        deploy: list[str] = services(describe_docker(load_project(project)))["deploy-lab"]["networks"]
        return deploy

    assert networks(tmp_path / "closed", pools[0]) == ["inside"]
    assert networks(tmp_path / "open", *pools) == ["platform"]


def test_whether_other_pools_have_the_internet_replaces_no_server(tmp_path: Path) -> None:
    before = {service.name: service.release for service in describe(tmp_path).services}
    spec = SPEC.replace("limit = 10", "internet = false")
    after = {service.name: service.release for service in describe(tmp_path, spec).services}

    assert {name for name in before if before[name] != after[name]} == {"worker-prod-1", "worker-prod-2"}


def test_no_pool_can_write_to_what_another_reads_of_results(tmp_path: Path) -> None:
    found = services(describe(tmp_path))
    mounts = {name: service.get("volumes", []) for name, service in found.items() if name.startswith("worker")}

    assert mounts["worker-dev-1"] == mounts["worker-dev-2"] == ["results-dev:/var/lib/prefect/results"]
    assert mounts["worker-prod-1"] == mounts["worker-prod-2"] == ["results-prod:/var/lib/prefect/results"]
    assert len(mounts) == 4


def test_a_limit_and_the_number_of_workers_replace_no_instance(tmp_path: Path) -> None:
    before = {service.name: service.release for service in describe(tmp_path).services}
    spec = SPEC.replace("limit = 10", "limit = 99").replace("workers = 2", "workers = 3")
    after = {service.name: service.release for service in describe(tmp_path, spec).services}

    assert after.pop("worker-prod-3")
    assert after == before


WARM = """
[pools.warm]
type = "warm"
grace = 90
concurrency = 8
preload = ["pandas", "numpy.linalg"]
on_stop = "reschedule"
run_memory = "512m"
run_seconds = 3600
"""


def test_a_warm_worker_is_told_its_pools_settings(tmp_path: Path) -> None:
    worker = services(describe(tmp_path, SPEC + WARM))["worker-warm-1"]

    told = {name: value for name, value in worker["environment"].items() if name.startswith("PREFECT_WARM_WORKER_")}
    assert told == {
        "PREFECT_WARM_WORKER_FOLDER": "/home/prefect",
        "PREFECT_WARM_WORKER_GRACE": "90",
        "PREFECT_WARM_WORKER_ON_STOP": "reschedule",
        "PREFECT_WARM_WORKER_PRELOAD": "pandas,numpy.linalg",
        "PREFECT_WARM_WORKER_RUN_MEMORY": "512m",
        "PREFECT_WARM_WORKER_RUN_SECONDS": "3600",
    }
    assert worker["command"][worker["command"].index("--type") + 1] == "warm"
    assert worker["command"][worker["command"].index("--limit") + 1] == "8"


def test_a_warm_worker_is_not_killed_before_its_runs_grace_is_over(tmp_path: Path) -> None:
    found = services(describe(tmp_path, SPEC + WARM))

    assert int(found["worker-warm-1"]["stop_grace_period"].rstrip("s")) > 90


def test_what_is_left_out_is_left_to_the_warm_worker_and_nothing_is_not(tmp_path: Path) -> None:
    spec = SPEC + '\n[pools.silent]\ntype = "warm"\n\n[pools.cold]\ntype = "warm"\npreload = []\n'
    found = services(describe(tmp_path, spec))

    assert "PREFECT_WARM_WORKER_PRELOAD" not in found["worker-silent-1"]["environment"]
    assert found["worker-cold-1"]["environment"]["PREFECT_WARM_WORKER_PRELOAD"] == ""


def test_a_process_worker_is_told_only_what_becomes_of_lost_runs(tmp_path: Path) -> None:
    worker = services(describe(tmp_path, SPEC + '\n[pools.old]\ntype = "process"\n'))["worker-old-1"]

    told = [name for name in worker["environment"] if name.startswith("PREFECT_WARM_WORKER_")]
    assert told == ["PREFECT_WARM_WORKER_ON_STOP"]
    assert worker["command"][:3] == ["python", "-m", "prefect_warm_worker"]


def test_a_process_worker_of_an_older_prefect_is_prefects_own(tmp_path: Path) -> None:
    pool = '[images.etl]\n\n[pools.old]\ntype = "process"\n'
    spec = f'[platform]\nname = "acme"\nruntime = "docker"\nprefect = "3.6.25"\n\n{pool}'
    worker = services(describe(tmp_path, spec))["worker-old-1"]

    assert worker["command"][0] == "prefect"


def test_only_changed_files_are_written_and_stale_ones_removed(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    write_files(render_compose(describe(tmp_path)), folder)
    (folder / "compose.override.yaml").write_text("mine")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    (tmp_path / "flows" / "other.py").write_text("# another flow")
    (tmp_path / "flows" / "hello.py").unlink()
    write_project(tmp_path / "elsewhere")
    files = render_compose(describe_docker(load_project(tmp_path)))

    assert changed_files(files, folder) == (
        "compose.yaml",
        "images/pipelines/app/flows/hello.py",
        "images/pipelines/app/flows/other.py",
    )
    write_files(files, folder)
    assert changed_files(files, folder) == ()
    untouched = folder / "images" / "pipelines" / "Dockerfile"
    assert untouched.stat().st_mtime_ns == before[untouched]
    assert (folder / "compose.override.yaml").read_text() == "mine"
