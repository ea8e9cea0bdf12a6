"""Asking before something is lost."""

import sys
from collections.abc import Sequence

import typer

from platformctl.errors import ConfirmationError


def confirm(question: str, lost: Sequence[str], *, is_agreed: bool) -> None:
    """Name what would be lost and ask; raises ConfirmationError unless the answer, or `--yes`, is yes."""
    typer.echo("\n".join([question, *(f"  {line}" for line in lost)]), err=True)
    if is_agreed:
        return
    remedy = "Nothing was changed. Add --yes to confirm."
    if not sys.stdin.isatty():
        raise ConfirmationError("This command asks for confirmation, and its input is not a terminal.", remedy=remedy)
    if not _ask("Continue?"):
        raise ConfirmationError("Cancelled.", remedy=remedy)


def _ask(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # an interrupt, or the end of the input
        interrupt = KeyboardInterrupt()
        interrupt.add_note("before anything was changed")
        raise interrupt from None
