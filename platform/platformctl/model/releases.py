"""The minors of Prefect that a platform may have: the one place that lists them.

The spec, the images, the local runtime and the Makefile read it. docs/new-prefect.md says what to do for the next one.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Minor:
    """A minor of Prefect.

    newest: the version of it that the tests run. resolved_on: the day (ISO) whose versions of its dependencies the local
    runtime installs. held: what Prefect's own image of it must be held to.
    """

    newest: str
    resolved_on: str
    held: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The minor, such as "3.9"."""
        return self.newest.rpartition(".")[0]

    @property
    def numbers(self) -> tuple[int, int]:
        """The minor as numbers, such as (3, 9)."""
        major, minor, _ = self.newest.split(".")
        return int(major), int(minor)


MINORS = (
    Minor("3.6.29", "2026-05-02"),
    Minor("3.7.8", "2026-07-10"),
    # With SQLAlchemy 2.1 it starts, and never creates a run of a schedule: «Can't evaluate bulk DML statement».
    Minor("3.8.8", "2026-10-07", held=("sqlalchemy[asyncio]<2.1",)),
    Minor("3.9.1", "2026-11-18"),
)
NEWEST = MINORS[-1]
OLDEST_PREFECT = (3, 6, 25)
HOLES = "CVE-2026-7722, CVE-2026-7723, CVE-2026-5366"
"""What is mended in the oldest version: requests without a password (below 3.6.22), events without one (below 3.6.14), and
what a repository's flows could have Git do (up to 3.6.24)."""
OLDEST_WARM = (3, 6, 29)
"""The oldest version of Prefect that warm workers are made for."""


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return the numbers of a full version such as "3.9.1", or None for any other text."""
    match = re.fullmatch(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def has_worker_package(version: str) -> bool:
    """Whether the worker's package works with a version of Prefect."""
    return (parse_version(version) or (0, 0, 0)) >= OLDEST_WARM


def minor_of(version: str) -> Minor | None:
    """Return the minor that a full version is of, or None where it isn't supported."""
    return next((minor for minor in MINORS if version.rpartition(".")[0] == minor.name), None)
