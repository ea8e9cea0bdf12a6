"""Certificate authorities, read once for all runs: each of Prefect's clients reads them anew, for plain HTTP too.

With two clients and more that is most of what a short run costs: 20 to 60 ms of CPU and some megabytes each.
"""

import functools
import ssl
from pathlib import Path
from types import ModuleType
from typing import Any

import certifi
import prefect.client.orchestration
from prefect.settings import get_current_settings


def share_authorities() -> None:
    """Have Prefect's clients of one process share what they know of certificate authorities, and read these now."""
    prefect.client.orchestration.ssl = _Tls("ssl")  # type: ignore[attr-defined]  # its import of the module
    _read_authorities(get_current_settings().api.ssl_cert_file or certifi.where())


class _Tls(ModuleType):
    """The module `ssl` with one client context for each file of authorities, for as long as the file doesn't change."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever else it has
        return getattr(ssl, name)

    def create_default_context(self, *, cafile: str | None = None) -> ssl.SSLContext:
        return _read_authorities(cafile) if cafile else ssl.create_default_context()


def _read_authorities(file: str) -> ssl.SSLContext:
    return _context(file, Path(file).stat().st_mtime_ns)


@functools.cache
def _context(file: str, _changed: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=file)
