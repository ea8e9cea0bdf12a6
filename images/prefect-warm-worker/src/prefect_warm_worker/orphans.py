"""What a run leaves behind: its worker and the zygote wait for the ends of these processes, as nobody else in a container may."""

import ctypes
import sys

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER, which a fork doesn't inherit."""


def adopt_orphans() -> None:
    """Become the parent of what descendants of this process leave running."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)
