"""The names that services and what runs them have."""

from platformctl.spec.load import Project

SERVER, DATABASE, MIGRATE = "server", "database", "migrate"
"""Services; SERVER is the name of the server's own image too, so no image of platform.toml may have it."""


RESULTS = "results"
"""What held the results of all pools, until each had its own."""


def results_name(pool: str) -> str:
    """Return the name of what holds the persisted results of a pool's flow runs, a volume or a folder."""
    return f"{RESULTS}-{pool}"


def worker_name(pool: str, number: int) -> str:
    """Return the name of a pool's worker; numbers begin at 1. Prefect keeps a row for each name that a worker ever had."""
    return f"worker-{pool}-{number}"


def deploy_name(image: str) -> str:
    """Return the name of what registers the deployments of an image."""
    return f"deploy-{image}"


def instance_name(project: Project, service: str) -> str:
    """Return the name of what runs a service."""
    return f"{project.spec.platform.name}-{service}"
