"""The bundle: the folder of rendered files that the platform runs from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from platformctl.errors import FileError
from platformctl.model.observed import Observed
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World
from platformctl.stack.files import write_files

_LISTED = 3


@dataclass(frozen=True, slots=True)
class WriteBundle:
    """Bring the bundle to its files. digest: of those files, which follow from the project's."""

    needs_client: ClassVar[bool] = False
    digest: str

    def apply(self, world: World) -> None:
        """Write what differs; raises FileError where the project's files have changed since the plan was made."""
        if world.wanted.digest != self.digest:
            found = f"The files of {world.project.root} are not those that the plan was made from."
            raise FileError(found, remedy="Type `platformctl plan` to see what they want now.")
        write_files(world.wanted.files, world.project.bundle)


def bundle_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Write the bundle where a file of it differs."""
    if observed.changed_files:
        cause = f"changed: {_some(observed.changed_files)}"
        yield Step("bundle", Action.UPDATE, cause, WriteBundle(wanted.digest))


def _some(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
