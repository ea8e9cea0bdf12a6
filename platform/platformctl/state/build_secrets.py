"""The secrets that builds need, from the machine's environment and files. None of them stays in an image."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from platformctl.errors import SpecError
from platformctl.files import make_folder, replace_file
from platformctl.spec.load import Project


def build_secrets(project: Project, environment: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Return the build secrets of a project: id to file. The index's address is completed from the environment.

    Raises SpecError where it names a variable that isn't set.
    """
    build, secrets = project.spec.build, {}
    if build.ca:
        secrets["ca"] = project.root / build.ca
    if build.index:
        make_folder(project.secrets, 0o700)
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
