"""Ctrl-C, at whatever moment: one line, and the exit code 130. Only what Python has loaded anyway is imported here.

An import that is interrupted leaves a half-loaded module, and many a library says so in its own words. So it is
finished first. The second Ctrl-C waits for nothing.
"""

import os
import sys

INTERRUPTED = 130


def _leave_at_once(text: str) -> None:
    os.write(2, text.encode())
    os._exit(INTERRUPTED)


try:
    import signal
    from types import FrameType
    from typing import NoReturn
except KeyboardInterrupt:  # before there is anything that could be told of one
    _leave_at_once("Interrupted. Nothing was changed.\n")

_AGAIN = 0.02
"""Seconds until it is seen again whether an import is done."""
_told: list[str] = []
_noticed: list[int] = []


def look_after_interrupts() -> None:
    """Have an interrupt raise KeyboardInterrupt where nothing is half-loaded; nothing changes where interrupts are ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGALRM, _raise)
        signal.signal(signal.SIGINT, _notice)


def was_interrupted() -> bool:
    """Whether an interrupt came: what fails afterwards fails because of it, whatever a library made of it."""
    return bool(_noticed)


def tell_interrupt(text: str) -> None:
    """Say what is left, once; on a terminal below the `^C`."""
    if not _told:
        _told.append(text)
        sys.stderr.write(f"\n{text}\n" if sys.stderr.isatty() else f"{text}\n")


def leave(code: int) -> NoReturn:
    """End the process: what is still being loaded in the background would complain of a slower end."""
    if signal.getsignal(signal.SIGINT) is _notice:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # its reader has gone away
    os._exit(code)


def _notice(number: int, frame: FrameType | None) -> None:
    _noticed.append(number)
    if len(_noticed) > 1:
        _leave_at_once("" if _told else "\nStopped at once: `platformctl status` shows what runs.\n")
    sys.unraisablehook = _raise_again
    _raise(number, frame)


def _raise(_: int, frame: FrameType | None) -> None:
    if _is_importing(frame):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        return
    raise KeyboardInterrupt


def _raise_again(lost: "sys.UnraisableHookArgs") -> None:
    """Python can't raise from everywhere, from a finalizer for one."""
    if lost.exc_type is KeyboardInterrupt:
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def _is_importing(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
