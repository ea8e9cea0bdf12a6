"""How images are built: with which secrets, from the machine's environment and files, none of which stays in an image."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from platformctl.errors import BuildError, SpecError
from platformctl.files import replace_file
from platformctl.spec.load import Project

_REMEDIES = {
    "system": "Correct `system` or `base` of [images.{name}] in platform.toml; Debian's names: `apt-cache search WORD`.",
    "dependencies": "Correct the dependencies of [images.{name}]; Prefect's own are held to versions that it works with.",
    "flows": "Correct the flow, or add what it imports to the dependencies of [images.{name}].",
}


def failed_build(name: str, stage: str, said: str) -> BuildError:
    """Return the error of a build that failed. stage: where, empty if that isn't known. said: the failed step's words."""
    words = "\n".join(f"  {line}" for line in said.splitlines()[-25:])
    again = f"Type `platformctl build-image {name}` to try again. What runs was left alone."
    remedy = f"{_REMEDIES.get(stage, '').format(name=name)} {again}".strip()
    where = f" at its stage {stage!r}" if stage else ""
    return BuildError(f"The image {name!r} can't be built{where}:\n{words}", remedy=remedy)


def build_secrets(project: Project, environment: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Return the build secrets of a project: id to file. The index's address is completed from the environment.

    Raises SpecError where it names a variable that isn't set.
    """
    build, secrets = project.spec.build, {}
    if build.ca:
        secrets["ca"] = project.root / build.ca
    if build.index:
        project.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        secrets["index"] = project.secrets / "build_index"
        text = _complete(build.index, os.environ if environment is None else environment, project.file)
        replace_file(secrets["index"], text, mode=0o600)
    return secrets


def _complete(text: str, environment: Mapping[str, str], file: Path) -> str:
    unset = [name for name in re.findall(r"\$\{(\w+)\}", text) if name not in environment]
    if unset:
        found = f"build.index in {file.name} names ${{{unset[0]}}}, which isn't set in the environment."
        raise SpecError(found, remedy=f"Set it (`export {unset[0]}=...`), then type the same command.")
    return re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], text)
