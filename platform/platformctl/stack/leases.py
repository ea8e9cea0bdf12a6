"""The leases of concurrency limits: what the server keeps them with, and where."""

from platformctl.assets import asset_path
from platformctl.stack.names import SERVER

LEASES = "leases"
"""What holds them, a volume or a folder."""
LEASES_FOLDER = "PLATFORMCTL_LEASES"
"""The variable that tells the storage its folder."""
LEASE_STORAGE = "platformctl_leases"


def server_modules() -> dict[str, bytes]:
    """Return what the server imports beside Prefect, file name to content."""
    return {file.name: file.read_bytes() for file in sorted((asset_path("images") / SERVER).glob("*.py"))}
