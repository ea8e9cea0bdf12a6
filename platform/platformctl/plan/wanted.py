"""What is wanted: everything that follows from a project's files, and nothing from outside them."""

from dataclasses import dataclass

from platformctl.files import digest_of_files
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project
from platformctl.stack.describe import Stack
from platformctl.stack.files import Files


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted services, images and deployments, and the bundle's files that they run from."""

    stack: Stack
    files: Files

    @property
    def project(self) -> Project:
        """The project."""
        return self.stack.project

    @property
    def digest(self) -> str:
        """The digest of the bundle's files: 12 hexadecimal digits."""
        return digest_of_files(self.files)[:12]


def load_wanted(project: Project, runtime: Runtime) -> Wanted:
    """Read the project's flows, requirements and prefect.yaml, and print its bundle; raises SpecError, OSError."""
    stack = runtime.describe(project)
    return Wanted(stack, runtime.render_bundle(stack))
