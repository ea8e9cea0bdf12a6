"""The bundle of the local runtime: the supervisor's configuration, and a file for each process, printed from the services."""

import json
from dataclasses import dataclass

from platformctl.assets import asset_path
from platformctl.model.database import database_name
from platformctl.model.service import Service
from platformctl.runtimes.local.environments import APP, image_folder
from platformctl.runtimes.local.label import Label, label_of
from platformctl.runtimes.local.site import code_link, local_site, socket_path
from platformctl.spec.load import Project
from platformctl.stack.describe import Stack, describe_services, load_contents
from platformctl.stack.files import LAUNCH, SUPERVISOR, Files, stack_files
from platformctl.stack.images.context import load_local_server_image
from platformctl.templates import render_template


def describe_local(project: Project) -> Stack:
    """Return what runs of a project as local processes; raises SpecError, OSError."""
    images, deployments = load_contents(project, lambda image: str(code_link(project, image)))
    server = load_local_server_image(project)
    services = describe_services(project, local_site(project, server.reference, deployments), images, deployments)
    return Stack(
        project=project,
        services=services,
        images=images,
        server_image=server,
        pulled=(),
        deployments=deployments,
        database=_database(project),
    )


def render_local(stack: Stack) -> Files:
    """Return the files of a stack's bundle, path to content."""
    processes = {f"services/{service.name}.json": _process(stack.project, service) for service in stack.services}
    return {
        **{path: f"{json.dumps(content, indent=2)}\n".encode() for path, content in processes.items()},
        SUPERVISOR: _configuration(stack).encode(),
        LAUNCH: (asset_path("images") / "local" / LAUNCH).read_bytes(),
        **stack_files(stack),
    }


@dataclass(frozen=True, slots=True)
class _Program:
    service: str
    label: Label
    image: str
    grace: int


def _configuration(stack: Stack) -> str:
    programs = [
        _Program(service.name, label_of(service), image_folder(service.image).as_posix(), service.stop_seconds)
        for service in stack.services
        if service.role != "deploy"
    ]
    platform = stack.project.spec.platform.name
    return render_template("local/supervisord.conf.j2", platform=platform, socket=socket_path(), programs=programs)


def _process(project: Project, service: Service) -> dict[str, object]:
    """What a process's file says. launch.py waits for what a patient one awaits, and becomes the module."""
    return {
        "module": service.command[0],
        "arguments": list(service.command[1:]),
        "directory": str(project.local / image_folder(service.image) / APP),
        "environment": dict(service.environment),
        "await": f"{project.server_url}/api/ready" if service.waits_for_server else None,
    }


def _database(project: Project) -> str:
    if url := project.spec.database.url:
        return database_name(url)
    return f"SQLite, {project.sqlite.relative_to(project.root)}"
