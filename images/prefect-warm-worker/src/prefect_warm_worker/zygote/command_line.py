"""The command line and the environment that the kernel shows of a process, as a run's own: a fork has those of its zygote."""

import contextlib
import ctypes
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

_SET_MM, _SET_MM_MAP = 35, 14
"""PR_SET_MM and PR_SET_MM_MAP, which needs no privilege: prctl(2)."""
_FIELDS = (26, 27, 45, 46, 47, None, 28, 48, 49, 50, 51)
"""Where /proc/self/stat has what the kernel's `struct prctl_mm_map` begins with; the end of the heap it doesn't have."""
_KEPT_FILE = 2**32 - 1


class _Map(ctypes.Structure):
    _fields_ = (
        ("addresses", ctypes.c_uint64 * len(_FIELDS)),
        ("auxv", ctypes.c_void_p),
        ("auxv_size", ctypes.c_uint32),
        ("exe_fd", ctypes.c_uint32),
    )


_shown: ctypes.Array[ctypes.c_char]
"""What the kernel reads from then on."""


def show_command_line(words: Sequence[str]) -> None:
    """Have /proc, and so lists of processes, show a command and this process's environment; it stays where it can't be done."""
    global _shown  # noqa: PLW0603  # it is the process's
    arguments = _block(os.fsencode(word) for word in words)
    variables = _block(b"%s=%s" % pair for pair in os.environb.items())
    _shown = ctypes.create_string_buffer(arguments + variables)
    begin = ctypes.addressof(_shown)
    middle = begin + len(arguments)
    with contextlib.suppress(OSError, ValueError, IndexError):
        _tell_kernel(begin, middle, middle, middle + len(variables))


def _block(words: Iterable[bytes]) -> bytes:
    return b"".join(word + b"\0" for word in words)


def _tell_kernel(*ends: int) -> None:
    """Replace where the kernel looks. ends: of the arguments and of the variables."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    c = ctypes.CDLL(None)
    c.sbrk.argtypes, c.sbrk.restype = [ctypes.c_ssize_t], ctypes.c_size_t
    found = [c.sbrk(0) if field is None else int(fields[field - 3]) for field in _FIELDS[:-4]]
    wanted = _Map((ctypes.c_uint64 * len(_FIELDS))(*found, *ends), None, 0, _KEPT_FILE)
    c.prctl(_SET_MM, _SET_MM_MAP, ctypes.byref(wanted), ctypes.sizeof(wanted), 0)
