"""Where the command line begins and ends."""

from platformctl_cli.interrupts import INTERRUPTED, leave, look_after_interrupts, tell_interrupt


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        look_after_interrupts()
        code = _run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        tell_interrupt("Interrupted. Nothing was changed.")
    leave(code)


def _run() -> int:
    import gc  # not before interrupts are looked after
    import os

    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some reads every installed package
    gc.set_threshold(
        50_000
    )  # loading modules makes objects that stay: collecting them meanwhile is a tenth of the time
    from platformctl_cli.app import app

    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0
