"""Where local processes find what they read and write: the platform's own folder."""

import sys
from pathlib import Path
from typing import get_args

from platformctl.model.database import SETTING
from platformctl.model.releases import has_worker_package
from platformctl.model.spec import WorkerType
from platformctl.runtimes.local.environments import environment_key
from platformctl.spec.load import Project
from platformctl.stack.describe import Deployments
from platformctl.stack.leases import LEASES, LEASES_FOLDER
from platformctl.stack.names import results_name
from platformctl.stack.site import ServerSite, Site, WorkerSite

SOCKET, CODE = "supervisor.sock", "code"


def local_site(project: Project, server_image: str, deployments: Deployments) -> Site:
    """Return the site of a platform of local processes. server_image: a reference."""
    return Site(
        environment={
            "PREFECT_HOME": str(project.local / "home"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_UI_URL": project.server_url,
            "PYTHONUNBUFFERED": "1",
        },
        profiles={profile: str(project.secrets / f"{profile}.toml") for profile in ("server", "client")},
        server=_server_site(project, server_image),
        worker=WorkerSite(
            results={pool: str(project.data / results_name(pool)) for pool in project.spec.pools},
            waiting_programs=dict.fromkeys(get_args(WorkerType), _program(project)),
            deploy_options={found.image: _file_options(project, found.image) for found in deployments},
        ),
        revision=environment_key(project.spec.platform.prefect),
    )


def _program(project: Project) -> tuple[str]:
    return ("prefect_warm_worker",) if has_worker_package(project.spec.platform.prefect) else ("prefect",)


def code_link(project: Project, image: str) -> Path:
    """Return the link that leads to the flows of an image as its workers have them: the same path for each of its tags."""
    repository = project.spec.images[image].repository or f"{project.spec.platform.name}/{image}"
    return project.local / CODE / repository


def socket_path() -> str:
    """Return the path of the supervisor's socket: an address has at most 108 bytes, and through /proc it is always short."""
    return f"/proc/self/cwd/{SOCKET}" if sys.platform == "linux" else SOCKET


def _server_site(project: Project, image: str) -> ServerSite:
    server = project.spec.server
    sqlite = {} if project.spec.database.url else {SETTING: f"sqlite+aiosqlite:///{project.sqlite}"}
    return ServerSite(
        image=image,
        address=server.host,
        port=server.port,
        api=f"{project.server_url}/api",
        ui=str(project.local / "ui"),
        environment={LEASES_FOLDER: str(project.data / LEASES)},
        database=sqlite,  # of a database of the user's own the profile holds the URL
    )


def _file_options(project: Project, image: str) -> tuple[str, ...]:
    return ("--prefect-file", str(project.bundle / "deployments" / f"{image}.yaml"))
