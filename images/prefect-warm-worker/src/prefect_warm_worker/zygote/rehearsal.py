"""What a zygote does ahead of the runs beside importing: whatever each of them would do alike, and pay for by itself.

Settings and logging are set up for the environment that runs have in common; a run whose environment differs does it anew.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from prefect.context import refresh_global_settings_context
from prefect.flows import Flow
from prefect.logging import get_logger
from prefect.settings import get_current_settings
from pydantic import BaseModel

from prefect_warm_worker._prefect.answers import heed_answers
from prefect_warm_worker._prefect.authorities import share_authorities
from prefect_warm_worker._prefect.engine import let_heartbeats_be
from prefect_warm_worker._prefect.one_connection import share_connection
from prefect_warm_worker._prefect.patience import be_patient
from prefect_warm_worker._prefect.suspension import let_worker_listen
from prefect_warm_worker.snapshots import fingerprint
from prefect_warm_worker.variables import CONTROL
from prefect_warm_worker.zygote.loggers import set_up_loggers
from prefect_warm_worker.zygote.output import without_output

_SCHEMAS = ("prefect.client.schemas.", "prefect.events.")
_SETTINGS_FILES = (".env", "prefect.toml", "pyproject.toml")
"""What Prefect reads settings from in the working directory."""
_set_up_for: tuple[object, ...] = ()
_read: set[str] = {"HOME"}
"""What they read by name, as far as is known."""

Inputs = tuple[object, ...]
"""All that Prefect's settings and logging are made of."""


def rehearse(read: set[str]) -> None:
    """Do what each run's engine would do alike. It starts no threads and asks no server.

    read: the variables that settings and logging read by name, as far as is known; it is added to.
    """
    global _read  # noqa: PLW0603  # as Prefect's own are global
    _read = read
    share_authorities()
    with _in_root_without_output():
        set_up_prefect()
        _log()
    complete_models()
    let_heartbeats_be()
    be_patient()
    heed_answers()
    let_worker_listen()
    share_connection()
    _validate_parameters()


def set_up_prefect() -> None:
    """Have Prefect read its settings, its profile and its logging anew, unless they are those of this environment already."""
    global _set_up_for  # noqa: PLW0603  # as above
    inputs = _inputs(os.environ, Path.cwd())
    if inputs == _set_up_for:
        return
    refresh_global_settings_context()
    set_up_loggers()
    _set_up_for = _inputs(os.environ, Path.cwd())


def complete_models() -> None:
    """Build the models of Prefect's API, which it leaves to their first use."""
    for model in list(_below(BaseModel)):
        if model.__module__.startswith(_SCHEMAS) and not model.__pydantic_complete__:
            model.model_rebuild(raise_errors=False)


def _log() -> None:
    """Log a line: what writes it to a terminal is imported and made at the first one."""
    get_logger("rehearsal").info("Flow run 'rehearsal' - Beginning flow run 'rehearsal'")


def _validate_parameters() -> None:
    """Make a flow with parameters: the first one takes most of what it imports and remembers."""

    def add(left: int, right: float = 1.0, names: list[str] | None = None) -> float:
        return left + right + len(names or ())

    Flow(add, name="rehearsal").validate_parameters({"left": 1})


def _inputs(environment: Mapping[str, str], folder: Path) -> Inputs:
    names = {name for name in environment if name.startswith("PREFECT") and not name.startswith(CONTROL)}
    variables = tuple((name, environment.get(name)) for name in sorted(names | _read))
    settings = get_current_settings()
    files = [settings.profiles_path, settings.logging.config_path, *(folder / name for name in _SETTINGS_FILES)]
    return variables, tuple(tuple(fingerprint(file)) for file in files)


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for found in model.__subclasses__():
        yield found
        yield from _below(found)


@contextmanager
def _in_root_without_output() -> Iterator[None]:
    """Stand in a folder that configures nothing, and write to what is no terminal: as runs do."""
    folder = Path.cwd()
    os.chdir("/")
    try:
        with without_output():
            yield
    finally:
        os.chdir(folder)
