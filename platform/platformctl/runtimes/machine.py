"""What any runtime asks of this machine: the server's address, and room on the disk."""

import errno
import shutil
import socket
from pathlib import Path

from platformctl.errors import PreflightError
from platformctl.spec.load import Project

_FREE = 2 * 1024**3
"""Bytes that must be free: images or environments, and the first weeks of data."""


def check_address(project: Project, holder: str | None, *, is_own: bool) -> None:
    """Raise PreflightError where the server of a project could not listen.

    holder: who has its port, where that is known. is_own: whether it is the platform's own server.
    """
    host, port = project.spec.server.host, project.spec.server.port
    reason = _why_not(host, port)
    if reason == errno.EADDRNOTAVAIL:
        remedy = f"Correct `host` under [server] in {project.file}: `ip address` shows what there is."
        raise PreflightError(f"This machine has no address {host}.", remedy=remedy)
    if reason == errno.EACCES:
        remedy = f"Set a `port` from 1024 on under [server] in {project.file}."
        raise PreflightError(f"This user may not listen on port {port} of {host}.", remedy=remedy)
    if not is_own and (holder or reason == errno.EADDRINUSE):
        other = f"set another `port` under [server] in {project.file}"
        remedy = f"Stop it (`ss -ltnp 'sport = {port}'` names it), or {other}."
        raise PreflightError(f"Port {port} of {host} is taken by {holder or 'another process'}.", remedy=remedy)


def check_free(free: int, where: str, command: str) -> None:
    """Raise PreflightError where too few bytes are free. command: what shows how they are used."""
    if free < _FREE:
        remedy = f"Free some (`{command}` shows what is used), then type the same command."
        raise PreflightError(f"Only {free / 1024**3:.1f} GiB are free {where}.", remedy=remedy)


def free_bytes(folder: Path) -> int:
    """Return how many bytes are free where a folder is, or is to be."""
    return shutil.disk_usage(folder).free


def _why_not(host: str, port: int) -> int | None:
    """Why a port of an address can't be listened on, as an errno; None where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno
    return None
