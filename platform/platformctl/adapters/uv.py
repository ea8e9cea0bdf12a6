"""Virtual environments, made and filled by uv."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import uv

Line = Callable[[str], None]


class CommandError(Exception):
    """A command failed. words: what it wrote."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Uv:
    """uv, as it is installed beside platformctl."""

    def __init__(self, report: Line, variables: Mapping[str, str], *, use_cache: bool = True) -> None:
        """report: called with each line that a command writes. variables: on top of this process's own."""
        self._report, self._variables = report, variables
        self._options = () if use_cache else ("--no-cache",)

    def create(self, environment: Path) -> None:
        """Make an empty environment of this Python that can be moved; raises CommandError."""
        self._run("venv", "--relocatable", "--python", sys.executable, str(environment))

    def install(self, environment: Path, *words: str, folder: Path | None = None) -> None:
        """Install what some words of `uv pip install` ask for; raises CommandError with the resolver's words."""
        self._run("pip", "install", "--python", str(environment), *words, folder=folder)

    def export(self, held: Sequence[str], lock: Path, folder: Path) -> None:
        """Write what a folder's uv.lock holds, without some packages, as requirements; raises CommandError."""
        left_out = [f"--no-emit-package={name}" for name in held]
        self._run(
            "export", "--frozen", "--no-dev", "--no-emit-project", *left_out, "--output-file", str(lock), folder=folder
        )

    def check(self, environment: Path) -> None:
        """Raise CommandError where installed packages can't live with one another."""
        self._run("pip", "check", "--python", str(environment))

    def _run(self, *words: str, folder: Path | None = None) -> None:
        command = [uv.find_uv_bin(), "--quiet", *self._options, *words]
        run_reported(command, self._report, variables=self._variables, folder=folder)


def run_reported(
    command: Sequence[str], report: Line, *, variables: Mapping[str, str], folder: Path | None = None
) -> None:
    """Run a command, reporting each line that it writes. variables: on top of this process's own. Raises CommandError."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if line.strip():
                report(line.rstrip())
    if process.returncode:
        raise CommandError("\n".join(lines) or f"{command[0]} exited with code {process.returncode}")
