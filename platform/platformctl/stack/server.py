"""The server's services: its database, the migration of its schema, and itself."""

from platformctl.model.database import database_volume
from platformctl.model.service import (
    STOP_SECONDS,
    Condition,
    HealthCheck,
    Isolation,
    Mount,
    Network,
    Secret,
    Service,
)
from platformctl.spec.load import Project
from platformctl.stack.leases import LEASE_STORAGE
from platformctl.stack.limits import limits_of
from platformctl.stack.names import DATABASE, MIGRATE, SERVER, instance_name
from platformctl.stack.site import Site

DATA = Network("data", is_internal=True)
_IS_READY = ("pg_isready", "--quiet", "--host", "127.0.0.1", "--username", "prefect", "--dbname", "prefect")
_CONNECTIONS = {
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "15",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW": "0",
}
"""As many connections to PostgreSQL as Prefect would open, all of them kept: by default it closes ten of fifteen after each use."""


def database_service(project: Project) -> Service:
    """Return the PostgreSQL that belongs to a platform."""
    database = project.spec.database
    volume, folder = database_volume(database.major)
    return Service(
        name=DATABASE,
        instance=instance_name(project, DATABASE),
        role="database",
        image=project.locked(database.image),
        limits=limits_of(database, shared_memory="128m"),
        environment={
            "POSTGRES_USER": "prefect",
            "POSTGRES_DB": "prefect",
            "POSTGRES_PASSWORD_FILE": "/run/secrets/database_password",
            "POSTGRES_INITDB_ARGS": "--data-checksums",
        },
        secrets=(Secret("database_password", "/run/secrets/database_password"),),
        mounts=(
            Mount("volume", folder, volume),
            Mount("tmpfs", "/tmp"),  # noqa: S108  # the container's own
            Mount("tmpfs", "/var/run/postgresql", options="mode=1777"),
        ),
        networks=(DATA,),
        health=HealthCheck(_IS_READY, starting=60, starting_interval=0.5, retries=6),
        isolation=Isolation(user="postgres"),
        stop_seconds=STOP_SECONDS["database"],
        stop_signal="SIGINT",
    )


def migrate_service(project: Project, site: Site) -> Service:
    """Return what brings the schema of the server's database up to date, and ends."""
    return Service(
        name=MIGRATE,
        instance=instance_name(project, MIGRATE),
        role="migrate",
        image=site.server.image,
        limits=limits_of(project.spec.server),
        command=("prefect", "server", "database", "upgrade", "--yes"),
        environment=_environment(project, site),
        secrets=site.secrets_of("server"),
        mounts=(*site.temporary, *site.server.mounts),
        networks=site.server.networks or site.networks,
        needs={DATABASE: "service_healthy"} if site.server.owns_database else {},
        isolation=site.isolation,
        restart="no",
    )


def server_service(project: Project, site: Site) -> Service:
    """Return Prefect's server: API, UI and background services."""
    needs: dict[str, Condition] = {DATABASE: "service_healthy"} if site.server.owns_database else {}
    if site.server.migrates:
        needs[MIGRATE] = "service_completed_successfully"
    return Service(
        name=SERVER,
        instance=instance_name(project, SERVER),
        role="server",
        image=site.server.image,
        limits=limits_of(project.spec.server),
        command=("prefect", "server", "start"),
        environment=_environment(project, site),
        secrets=site.secrets_of("server"),
        mounts=(*site.temporary, *site.server.mounts),
        networks=(*site.server.networks, *site.networks, *site.inside),
        ports=site.server.published,
        needs=needs,
        health=site.server.health,
        isolation=site.isolation,
        stop_seconds=STOP_SECONDS["server"],
    )


def _environment(project: Project, site: Site) -> dict[str, str]:
    spec, server = project.spec.server, site.server
    has_postgresql = server.owns_database or bool(project.spec.database.url)
    return {
        **site.environment_of("server"),
        **server.environment,
        **server.database,
        **({"PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false"} if server.migrates else {}),
        **(_CONNECTIONS if has_postgresql else {}),
        "PREFECT_SERVER_API_HOST": server.address,
        "PREFECT_SERVER_API_PORT": str(server.port),
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": server.ui,
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASE_STORAGE,
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": f"P{spec.keep_runs}D",
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{spec.keep_events}D",
    }
