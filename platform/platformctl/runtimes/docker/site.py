"""Where containers find what they read and write."""

from typing import get_args

from platformctl.errors import SpecError
from platformctl.files import digest_of_files
from platformctl.model.database import database_host
from platformctl.model.releases import has_worker_package
from platformctl.model.service import HealthCheck, Isolation, Mount, Network
from platformctl.model.spec import WorkerType
from platformctl.runtimes.described import SCRIPT
from platformctl.spec.load import Project, in_url
from platformctl.stack.describe import Deployments
from platformctl.stack.files import CONTEXTS
from platformctl.stack.leases import LEASES, LEASES_FOLDER, server_modules
from platformctl.stack.names import DATABASE, results_name
from platformctl.stack.server import DATA
from platformctl.stack.site import ServerSite, Site, WorkerSite

CODE = "/app"
"""The folder of an image with the flows."""
REQUEST, DESCRIBE = "/opt/platformctl/flows.json", "/opt/platformctl/describe_flows.py"
"""What is to be described, and the script that does it."""
USER = 10001
"""The user and the group of everything that runs Prefect; images/ makes it."""
_HOME, _RESULTS, _PROFILE = "/home/prefect", "/var/lib/prefect/results", "/run/secrets/profiles.toml"
_SHARED = "/var/tmp"  # noqa: S108  # the server's own
"""Any user may write there in Prefect's own image, and so in the volume, which begins as a copy of it."""
_WORKER = ("python", "-m", "prefect_warm_worker")
_API = "http://server:4200/api"


def docker_site(project: Project, server_image: str, deployments: Deployments) -> Site:
    """Return the site of a platform in containers; raises SpecError for a database that no container reaches."""
    _check_reachable(project)
    home = Mount("tmpfs", _HOME, options=f"uid={USER},gid={USER},mode=0700")
    return Site(
        environment={
            "HOME": _HOME,
            "USER": "prefect",
            "PREFECT_HOME": f"{_HOME}/.prefect",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_UI_URL": project.server_url,
        },
        profiles={"server": _PROFILE, "client": _PROFILE},
        server=_server_site(project, server_image),
        worker=_worker_site(project, home, deployments),
        isolation=Isolation(user=f"{USER}:{USER}"),
        networks=(Network("platform"),),
        inside=(Network("inside", is_internal=True, excludes_host=True),),
        temporary=(Mount("tmpfs", "/tmp", options="mode=1777"), home),  # noqa: S108  # the container's own
    )


def _server_site(project: Project, image: str) -> ServerSite:
    server, owns_database = project.spec.server, not project.spec.database.url
    modules = f"/opt/platformctl/{digest_of_files(server_modules())[:12]}"  # so that others replace the server
    return ServerSite(
        image=image,
        address="0.0.0.0",  # noqa: S104  # in a container; what the host publishes is another matter
        port=4200,
        api=_API,
        ui=f"{_HOME}/ui",
        database=_own_database() if owns_database else {},
        owns_database=owns_database,
        migrates=True,
        environment={"PYTHONPATH": modules, LEASES_FOLDER: f"{_SHARED}/{LEASES}"},
        mounts=(
            Mount("volume", _SHARED, LEASES),
            *(Mount("bind", f"{modules}/{name}", f"./server/{name}", is_read_only=True) for name in server_modules()),
        ),
        published=(f"{in_url(server.host)}:{server.port}:4200",),
        networks=(DATA,) if owns_database else (),
        health=HealthCheck(_http_check(4200, "/api/ready"), starting=120, starting_interval=0.5),
    )


def _own_database() -> dict[str, str]:
    prefix = "PREFECT_SERVER_DATABASE_"
    where = {"DRIVER": "postgresql+asyncpg", "HOST": DATABASE, "PORT": "5432", "USER": "prefect", "NAME": "prefect"}
    return {f"{prefix}{name}": value for name, value in where.items()}


def _worker_site(project: Project, home: Mount, deployments: Deployments) -> WorkerSite:
    temporary = Mount("tmpfs", "/tmp", options="mode=1777,exec")  # noqa: S108  # the container's own
    used, pools = {deployment.image for deployment in deployments}, project.spec.pools
    has_package = has_worker_package(project.spec.platform.prefect)
    return WorkerSite(
        results=dict.fromkeys(pools, _RESULTS),
        environment={"PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1"},
        options=("--with-healthcheck",),
        waiting_programs=dict.fromkeys(get_args(WorkerType), _WORKER) if has_package else {},
        mounts={pool: (Mount("volume", _RESULTS, results_name(pool)),) for pool in pools},
        temporary=(temporary, home),
        health=HealthCheck(_http_check(8080, "/health"), starting=120, starting_interval=1),
        folder=_HOME,
        deploy_mounts={name: _deployment_files(name) for name in used},
    )


def _deployment_files(image: str) -> tuple[Mount, ...]:
    """What `prefect deploy` reads, for whoever has the bundle alone; and what describes the flows for platformctl."""
    files = {
        f"{CODE}/prefect.yaml": f"./deployments/{image}.yaml",
        REQUEST: f"./deployments/{image}.json",
        DESCRIBE: f"./{CONTEXTS}{image}/{SCRIPT}",
    }
    return tuple(Mount("bind", target, source, is_read_only=True) for target, source in files.items())


def _check_reachable(project: Project) -> None:
    host = database_host(project.spec.database.url)
    if host == "localhost" or host.startswith("127.") or host == "::1":
        found = f"database.url in {project.file.name} names {host}, which in a container means the container itself."
        raise SpecError(found, remedy="Use an address of the database's machine that other machines can reach.")


def _http_check(port: int, path: str) -> tuple[str, ...]:
    code = (
        f"import http.client as h; c = h.HTTPConnection('127.0.0.1', {port}, timeout=4); "
        f"c.request('GET', '{path}'); raise SystemExit(c.getresponse().status != 200)"
    )
    return ("python", "-IS", "-c", code)
