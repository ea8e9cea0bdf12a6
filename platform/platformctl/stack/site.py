"""Where a runtime puts what services read and write: the one thing in which the services of two runtimes differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from platformctl.model.service import HealthCheck, Isolation, Mount, Network, Secret
from platformctl.model.spec import Pool


@dataclass(frozen=True, slots=True)
class Site:
    """The places and addresses of a platform on a runtime. They hold for everything that runs Prefect.

    environment: what all of it is told. profiles: `server` and `client`, to the path of that Prefect profile. networks: those
    of all; the server's more. inside: those that lead to the server alone. temporary: what each may write to, and loses.
    """

    environment: Mapping[str, str]
    profiles: Mapping[str, str]
    server: "ServerSite"
    worker: "WorkerSite"
    isolation: Isolation = field(default_factory=Isolation)
    networks: tuple[Network, ...] = ()
    inside: tuple[Network, ...] = ()
    temporary: tuple[Mount, ...] = ()
    revision: str = ""
    """What every service is made from beside its image and its settings."""

    def networks_of(self, *pools: Pool) -> tuple[Network, ...]:
        """Return the networks of what runs the code of pools: none that leads out, if none of them may have one."""
        return self.networks if any(pool.internet for pool in pools) or not pools else self.inside

    def environment_of(self, profile: str) -> dict[str, str]:
        """Return what a service with a profile is told."""
        return {**self.environment, "PREFECT_PROFILES_PATH": self.profiles[profile]}

    def secrets_of(self, profile: str) -> tuple[Secret, ...]:
        """Return the secrets of a service with a profile."""
        return (Secret(f"{profile}.toml", self.profiles[profile]),)


@dataclass(frozen=True, slots=True)
class ServerSite:
    """What holds for the server. image: a reference. address, port: what it listens on. ui: the folder of its pages.

    api: its API's address for workers. database: the settings that lead to it, so far as they are no secret.
    owns_database: whether PostgreSQL is a service of the platform. migrates: whether the schema has a service of its own.
    environment: where it finds what it imports, and keeps leases.
    """

    image: str
    address: str
    port: int
    api: str
    ui: str
    database: Mapping[str, str] = field(default_factory=dict)
    owns_database: bool = False
    migrates: bool = False
    published: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    networks: tuple[Network, ...] = ()
    health: HealthCheck | None = None


@dataclass(frozen=True, slots=True)
class WorkerSite:
    """What holds for workers, and for what registers deployments.

    results: by pool, the folder of its persisted results. options: of `prefect worker start`. waiting_programs: types of workers
    that wait for their server by themselves, to the program that takes Prefect's words. mounts: by pool. deploy_options,
    deploy_mounts: by image name, how `prefect deploy` finds its file.
    """

    results: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    waiting_programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mounts: Mapping[str, tuple[Mount, ...]] = field(default_factory=dict)
    temporary: tuple[Mount, ...] = ()
    health: HealthCheck | None = None
    deploy_options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deploy_mounts: Mapping[str, tuple[Mount, ...]] = field(default_factory=dict)
    folder: str | None = None
    """Where flow runs' own folders are made, if not among the temporary files, which any of them may fill."""
