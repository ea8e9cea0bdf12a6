"""What a Docker engine fails with, in an operator's words."""

import contextlib
from collections.abc import Iterator
from typing import Any

import docker.errors
import requests

from platformctl.errors import EngineError, PreflightError


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise EngineError with what the engine, or the way to it, fails with; docker's NotFound passes."""
    try:
        yield
    except docker.errors.NotFound:
        raise
    except docker.errors.APIError as error:
        said: Any = error.explanation or error
        raise EngineError(
            f"The Docker engine refused: {said}", remedy="Correct that, then type the same command."
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        remedy = "Start Docker (`docker info` must work for this user), then type the same command."
        raise EngineError(f"No Docker engine answers: {_reason(error)}", remedy=remedy) from error


@contextlib.contextmanager
def image_translated(image: str) -> Iterator[None]:
    """Raise PreflightError with the engine's words where an image can't be pulled."""
    try:
        yield
    except docker.errors.APIError as error:
        raise image_unavailable(image, error.explanation or error) from error


def _reason(error: BaseException) -> str:
    """The innermost cause: what the operating system said."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)


def image_unavailable(image: str, why: object) -> PreflightError:
    """Return the error of an image that can't be pulled. why: the engine's words."""
    remedy = f"Check the name, the network and the registry: `docker pull {image}` must work."
    return PreflightError(f"The image {image} can't be pulled: {why}", remedy=remedy)
