"""What the supervisor's name of a process tells of it, as labels tell of a container."""

from dataclasses import dataclass

from platformctl.model.service import Role, Service

_DRAINS = "drains"


@dataclass(frozen=True, slots=True)
class Label:
    """The role of a process, its pool, its image, its release, and whether it drains by itself."""

    role: Role
    pool: str | None
    image: str
    release: str
    drains: bool = False

    def __str__(self) -> str:
        image = self.image.replace("/", "+").replace(":", "@")  # a name has neither slashes nor colons
        return "|".join((self.role, self.pool or "", image, self.release, *([_DRAINS] if self.drains else [])))


def parse_label(text: str) -> Label:
    """Read a label; raises ValueError where it isn't one."""
    role, pool, image, release, *rest = text.split("|")
    name = image.replace("+", "/").replace("@", ":")
    return Label(role, pool or None, name, release, drains=_DRAINS in rest)  # type: ignore[arg-type]  # as it was written


def label_of(service: Service) -> Label:
    """Return the label of what runs a service."""
    return Label(service.role, service.pool, service.image, service.release, drains=service.drains)
