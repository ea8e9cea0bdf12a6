"""The bundle: the folder of rendered files that the platform runs from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from platformctl.errors import FileError
from platformctl.model.observed import Observed
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World
from platformctl.stack.files import CONTEXTS, write_files

_LISTED = 3


@dataclass(frozen=True, slots=True)
class WriteBundle:
    """Bring the bundle to its files.

    digest: of those files, which follow from the project's. under: how the paths begin that are written; empty for all.
    """

    needs_client: ClassVar[bool] = False
    digest: str
    under: str = ""

    def apply(self, world: World) -> None:
        """Write what differs; raises FileError where the project's files have changed since the plan was made."""
        if world.wanted.digest != self.digest:
            found = f"The files in {world.project.root} changed after the plan was made."
            raise FileError(found, remedy="Type `platformctl plan` to see the new plan.")
        write_files(world.wanted.files, world.project.bundle, under=self.under)


def bundle_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Write the bundle where a file of it differs."""
    yield from _write_steps("bundle", observed.changed_files, WriteBundle(wanted.digest))


def built_bundle_steps(wanted: Wanted, observed: Observed, builds: Sequence[Step]) -> Iterator[Step]:
    """Write what images are built from, build them, and only then write what runs from them.

    A build that fails leaves what a service that crashes is started from again.
    """
    contexts = [path for path in observed.changed_files if path.startswith(CONTEXTS)] if builds else []
    yield from _write_steps("build contexts", contexts, WriteBundle(wanted.digest, CONTEXTS))
    yield from builds
    others = [path for path in observed.changed_files if path not in contexts]
    yield from _write_steps("bundle", others, WriteBundle(wanted.digest))


def _write_steps(resource: str, changed: Sequence[str], change: WriteBundle) -> Iterator[Step]:
    if changed:
        more = len(changed) - _LISTED
        listed = ", ".join(changed[:_LISTED]) + (f" and {more} more" if more > 0 else "")
        yield Step(resource, Action.UPDATE, f"changed: {listed}", change)
