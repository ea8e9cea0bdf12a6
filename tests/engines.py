"""The real engine, as platformctl's adapter sees it, and containers on it that never run."""

import io
import os
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
from docker.types import Mount

from platformctl.adapters.engine import Engine
from platformctl.errors import EngineError


def real_engine(host: str | None = None) -> Engine:
    """Connect to the engine. Without one the test is skipped, or fails with PLATFORMCTL_REQUIRE_ENGINE=1."""
    try:
        return Engine(host=host)
    except EngineError as error:
        if os.environ.get("PLATFORMCTL_REQUIRE_ENGINE") == "1":
            raise
        pytest.skip(error.message)


@contextmanager
def created_platform(state: Path, name: str | None = None) -> Iterator[str]:
    """Hold a platform's container, made as Compose makes it and never started, and its volume; gives the platform's name.

    state: its .platform folder, with secrets/client.toml in it. name: None for one that no other platform has.
    """
    real_engine()
    name = name or f"t{uuid.uuid4().hex[:6]}"
    labels, client = {"io.platformctl.platform": name}, docker.from_env()
    client.api.import_image_from_data(_empty_archive(), repository=f"{name}/empty", tag="1")
    container = client.containers.create(
        f"{name}/empty:1",
        command="none",
        name=f"{name}-worker",
        labels={**labels, "com.docker.compose.project.working_dir": str(state / "bundle")},
        mounts=[Mount("/run/secrets/profiles.toml", str(state / "secrets" / "client.toml"), type="bind")],
    )
    volume = client.volumes.create(f"{name}_database", labels=labels)
    try:
        yield name
    finally:
        container.remove()
        volume.remove()
        client.images.remove(f"{name}/empty:1")
        client.close()


def _empty_archive() -> bytes:
    content = io.BytesIO()
    tarfile.open(fileobj=content, mode="w").close()
    return content.getvalue()
