"""The steps `build`, `push` and `pull`: those that can't work on a platform, whose images are built by itself."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from platformctl.model.spec import KeyPath
from platformctl.spec.problems import Problem

_SET_FOLDER = "prefect.deployments.steps.set_working_directory"


def find_impossible(steps: Mapping[str, object], root: Path, at: KeyPath = ()) -> Iterator[Problem]:
    """Yield what can't work among the steps of a mapping. root: of the project. at: where the mapping stands."""
    for kind in ("build", "push"):
        if steps.get(kind):
            yield Problem(
                (*at, kind), f"`{kind}` steps have no place here: the platform builds the image. Leave them out"
            )
    if "pull" in steps and not steps["pull"]:
        found = "`pull` is empty, and flow runs would not find their code. Leave it out: the flows are in the image"
        yield Problem((*at, "pull"), found)
    pulls = steps.get("pull")
    for number, step in enumerate(pulls if isinstance(pulls, list) else [pulls]):
        options = step.get(_SET_FOLDER) if isinstance(step, dict) else None
        folder = options.get("directory") if isinstance(options, dict) else None
        if isinstance(folder, str) and (why := _why_not(folder, root)):
            where = (*at, "pull", *([str(number)] if isinstance(pulls, list) else []), _SET_FOLDER, "directory")
            yield Problem(where, f"{folder!r} {why}. Leave the step out: runs begin where the flows are")


def _why_not(folder: str, root: Path) -> str | None:
    """Why no image has a folder."""
    if re.match(r"[A-Za-z]:[\\/]|\\\\", folder):
        return "is a folder of Windows, and flows run on Linux"
    homes = (root, Path("/root"), Path("/home"), Path("/Users"))
    if Path(folder).is_absolute() and any(Path(folder).is_relative_to(home) for home in homes):
        return "is a folder of a person's machine, which the image doesn't have"
    return None
