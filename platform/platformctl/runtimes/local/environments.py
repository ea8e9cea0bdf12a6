"""Virtual environments of the local runtime: where they stand, and what they follow from.

An image of the local runtime is a folder by the image's name and tag, the same as with Docker: `app`, with the flows, and
`environment`, a link to a virtual environment. Images with the same dependencies share one, so that a changed flow
installs nothing anew.
"""

import hashlib
import sys
from pathlib import Path

from platformctl.files import digest_of_files
from platformctl.stack.images.context import WorkerImage, constraints_file
from platformctl.stack.images.worker_package import WORKER

ENVIRONMENT, APP, EMPTY_DATABASE = "environment", "app", "empty.db"
INSTALLED = ("requirements/", WORKER)
"""The folders of a build context that an environment is made of."""


def image_folder(reference: str) -> Path:
    """Return the folder of an image, relative to the platform's local one."""
    return Path("images", *reference.replace(":", "/").split("/"))


def environment_key(prefect: str) -> str:
    """Return what every environment of a version of Prefect follows from: that, this Python, and the constraints."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(constraints_file(prefect).read_bytes()).hexdigest()[:8]
    return f"prefect-{prefect}-python-{python}-{digest}"


def environment_name(image: WorkerImage, prefect: str) -> str:
    """Return the name of an image's environment: all that is installed follows from it."""
    installed = {path: content for path, content in image.context.items() if path.startswith(INSTALLED)}
    return _named(prefect, digest_of_files(installed))


def bare_environment_name(prefect: str) -> str:
    """Return the name of the environment that holds Prefect and nothing else: the server's."""
    return _named(prefect, digest_of_files({}))


def _named(prefect: str, digest: str) -> str:
    return f"{environment_key(prefect)}-{digest[:12]}"
