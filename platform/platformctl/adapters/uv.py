"""Virtual environments, made and filled by uv."""

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

    def __init__(self, report: Line, variables: Mapping[str, str], *, command: str | None = None) -> None:
        """report: called with each line that a command writes. variables: all that it and its builds are told. command: uv."""
        self._report, self._variables = report, variables
        self._command = command or uv_command()

    def create(self, environment: Path) -> None:
        """Make an empty environment of this Python that can be moved; raises CommandError."""
        self._run("venv", "--relocatable", "--python", sys.executable, str(environment))

    def install(self, environment: Path, *words: str) -> None:
        """Install what some words of `uv pip install` ask for; raises CommandError with the resolver's words."""
        self._run("pip", "install", "--python", str(environment), *words)

    def _run(self, *words: str) -> None:
        run_reported([self._command, "--quiet", *words], self._report, variables=self._variables)


def uv_command() -> str:
    """Return the path of uv's program."""
    return str(uv.find_uv_bin())


def run_reported(
    command: Sequence[str],
    report: Line,
    *,
    variables: Mapping[str, str],
    folder: Path | None = None,
) -> None:
    """Run a command, reporting each line that it writes. variables: all that it is told. Raises CommandError."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                if line.strip():
                    report(line.rstrip())
        except BaseException:
            process.kill()  # an interrupt that only this process was sent
            raise
    if process.returncode:
        raise CommandError("\n".join(lines) or f"{command[0]} exited with code {process.returncode}")
