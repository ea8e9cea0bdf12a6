"""What tells what the flows of an image are; started by hand, it registers the deployments by Prefect's own means."""

from platformctl.model.service import Service
from platformctl.spec.load import Project
from platformctl.stack.images.context import WorkerImage
from platformctl.stack.limits import limits_of
from platformctl.stack.names import SERVER, deploy_name, instance_name
from platformctl.stack.site import Site


def deploy_service(project: Project, site: Site, image: WorkerImage) -> Service:
    """Return the one-shot of an image's flows."""
    name = deploy_name(image.name)
    return Service(
        name=name,
        instance=instance_name(project, name),
        role="deploy",
        image=image.reference,
        limits=limits_of(project.spec.server),
        command=("prefect", "--no-prompt", "deploy", "--all", *site.worker.deploy_options.get(image.name, ())),
        environment={**site.environment_of("client"), "PREFECT_API_URL": site.server.api},
        secrets=site.secrets_of("client"),
        mounts=(*site.worker.deploy_mounts.get(image.name, ()), *site.temporary),
        networks=site.networks_of(*project.pools_of(image.name)),
        needs={SERVER: "service_healthy"},
        isolation=site.isolation,
        restart="no",
    )
