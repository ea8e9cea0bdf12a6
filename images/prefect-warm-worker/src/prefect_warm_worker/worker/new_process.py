"""Which runs need a new process: those with a command of their own, or with variables that are read once, at the start."""

from collections.abc import Mapping

READ_AT_START = ("PYTHON", "LD_", "LANG", "LC_", "MALLOC_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_")
"""How the variables begin that an interpreter, or a library when it is loaded, reads once and for all."""
_KNOWN_LATER = ("PYTHONPATH",)
"""Those of them that a fork heeds all the same."""


def needs_new_process(
    command: str | None, wanted: Mapping[str, str | None], current: Mapping[str, str | None]
) -> str | None:
    """Say why a run can't be a fork, or return None. wanted, current: the variables of the run and of the worker."""
    if command and "prefect.engine" not in command:
        return "it has a command of its own"
    changed = sorted(
        name
        for name in wanted.keys() | current.keys()
        if name.startswith(READ_AT_START) and name not in _KNOWN_LATER and wanted.get(name) != current.get(name)
    )
    return f"{', '.join(changed)} would be read too late" if changed else None
