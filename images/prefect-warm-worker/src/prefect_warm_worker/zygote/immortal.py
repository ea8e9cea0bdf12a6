"""Immortal objects (PEP 683): their reference counts are never written, so a fork that uses them copies no page of memory.

A reference is a write to the object's count, and so to a page that a fork shares with its zygote until then. CPython from
3.12 on leaves the counts of immortal objects alone, and has no way to make one of an object before PyUnstable_SetImmortal (3.15).
An immortal object is never freed: that is for a process that has imported all it will, and whose forks end soon.
"""

import ctypes
import gc
import sys
import sysconfig
from collections.abc import Iterable
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType

_IMMORTAL = 0xFFFFFFFF
"""The lower half of a reference count; negative as a signed number is what makes it immortal."""
_AT_WORK = (FrameType, GeneratorType, CoroutineType, AsyncGeneratorType)
"""What ends while its process goes on, and lets go of what it holds then."""
_CONSTANTS = (str, bytes, int, float, complex, tuple, frozenset, CodeType)
"""What the garbage collector doesn't track, and whose count nobody asks for: numpy's arrays, for one, are resized by theirs."""


def make_immortal() -> bool:
    """Make all that this process has immortal; returns False where the interpreter has no such thing."""
    if not _is_possible():
        return False
    for found in gc.get_objects():
        if not isinstance(found, _AT_WORK):
            _mark(found)
            _mark_constants(gc.get_referents(found))
    return True


def _is_possible() -> bool:
    has_halves = sys.byteorder == "little" and sys.maxsize > 2**32 and not sysconfig.get_config_var("Py_GIL_DISABLED")
    if sys.implementation.name != "cpython" or sys.version_info < (3, 12) or not has_halves:
        return False
    probe = object()
    _mark(probe)
    references = [probe] * 3
    return len(references) == 3 and _count(probe).value == _IMMORTAL


def _mark_constants(found: Iterable[object]) -> None:
    """Mark constants, and those within them: a code object has some, a tuple too."""
    left = [constant for constant in found if type(constant) in _CONSTANTS]
    while left:
        constant = left.pop()
        if _count(constant).value == _IMMORTAL:
            continue
        _mark(constant)
        within = (constant.co_consts, constant.co_names, constant.co_varnames) if isinstance(constant, CodeType) else ()
        left += [inner for inner in (*within, *gc.get_referents(constant)) if type(inner) in _CONSTANTS]


def _mark(found: object) -> None:
    _count(found).value = _IMMORTAL


def _count(found: object) -> ctypes.c_uint32:
    """Return where an object's count is: its first four bytes, by CPython's object.h."""
    return ctypes.c_uint32.from_address(id(found))
