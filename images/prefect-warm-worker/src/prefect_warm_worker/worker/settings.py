"""What the worker is told by its environment: read once, when it is made."""

import re
from pathlib import Path
from typing import Annotated

from prefect.exceptions import PrefectException
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from prefect_warm_worker.contract import VARIABLE_PREFIX, OnStop

_UNITS = {"m": 2**20, "g": 2**30}


class SettingsError(PrefectException, ValueError):
    """An environment variable of the worker holds what it can't mean."""


def parse_memory(value: str) -> int:
    """Return the bytes of a size in mebibytes or gibibytes, such as "512m" or "2g"; raises ValueError for another text."""
    if not re.fullmatch(r"[1-9][0-9]*[mg]", value):
        raise ValueError(f'{value!r} is no size in mebibytes or gibibytes, such as "512m" or "2g"')
    return int(value[:-1]) * _UNITS[value[-1]]


Memory = Annotated[int, BeforeValidator(parse_memory)]
"""Bytes; given as a text such as "512m" or "2g"."""


class Settings(BaseSettings):
    """The worker's own settings, each from the variable PREFECT_WARM_WORKER_ with its name."""

    model_config = SettingsConfigDict(env_prefix=VARIABLE_PREFIX, frozen=True)

    preload: str | None = None
    """Modules that are imported ahead, separated by commas; where it isn't set, what the flows here import."""
    zygotes: Annotated[int, Field(ge=0)] = 3
    """How many processes more may be kept to fork runs of, for runs whose variables differ in what libraries have read."""
    preload_seconds: Annotated[float, Field(gt=0)] = 60
    """Seconds that these imports may take together; one that does nothing for a third of them is left out."""
    on_stop: OnStop = "finish"
    """What becomes of a run that is not through by the end of the grace period: cancelled, or scheduled again."""
    grace: Annotated[float, Field(ge=0)] = 60
    """Seconds that runs get to finish once the worker is told to stop."""
    run_memory: Memory | None = None
    """The most memory that a run may take, where its deployment doesn't say."""
    run_seconds: Annotated[float, Field(gt=0)] | None = None
    """The most seconds that a run may take, where its deployment doesn't say."""
    folder: Path | None = None
    """Where each run's own folder is made, and removed; where it isn't set, among the system's temporary files."""


def read_settings() -> Settings:
    """Return the settings; raises SettingsError that names the variable."""
    try:
        return Settings()
    except ValidationError as error:
        found = error.errors()[0]
        name = VARIABLE_PREFIX + str(found["loc"][0]).upper()
        raise SettingsError(f"{name}={found['input']}: {found['msg'].removeprefix('Value error, ')}.") from error
