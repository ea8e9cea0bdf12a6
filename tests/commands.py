"""Commands over fakes: no engine, no server, and everything else real."""

from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from platformctl.commands.workspace import Workspace
from platformctl_cli.app import app
from projects import FakeConnections


@dataclass
class Cli:
    """A command line on one folder."""

    folder: Path
    workspace: Workspace
    fakes: FakeConnections

    def __call__(self, *words: str, answer: str | None = None) -> Result:
        """Type a command."""
        return CliRunner().invoke(app, ["-C", str(self.folder), *words], obj=self.workspace, input=answer)

    @property
    def spec(self) -> str:
        """The text of platform.toml."""
        return (self.folder / "platform.toml").read_text(encoding="utf-8")
