"""What Prefect's engine reads of the environment while it is imported is what this package says of it."""

import json
import subprocess
import sys
from typing import Any

import prefect
import pytest
from prefect.settings import get_current_settings

from prefect_warm_worker._prefect.reads import HEEDED_AT_IMPORT

MOVED = f"Prefect {prefect.__version__} reads otherwise: see prefect_warm_worker/_prefect/reads.py"
_RECORD = """
import importlib, json, sys
from prefect_warm_worker._prefect.reads import HEEDED_AT_IMPORT, RENEWED, SEARCHING
from prefect_warm_worker.forks.preload import ENGINE
from prefect_warm_worker.zygote.recording import Recording, _functions

met, settings = set(), set()

class Met(dict):
    def __contains__(self, place):
        if super().__contains__(place):
            met.add(place)
        return super().__contains__(place)

recording = Recording(Met.fromkeys(RENEWED), Met(SEARCHING), HEEDED_AT_IMPORT)

import pydantic_settings
get = pydantic_settings.BaseSettings.__getattribute__

def note(self, name):
    places = [place for place in _functions(sys._getframe(1)) if not place[0].startswith("prefect.settings")]
    if name in type(self).model_fields and "prefect." in type(self).__module__ and places:
        if not any(place in RENEWED or place[1] == "rehearse" for place in places):
            settings.add(f"{type(self).__name__}.{name}")
    return get(self, name)

pydantic_settings.BaseSettings.__getattribute__ = note
for name in ENGINE:
    importlib.import_module(name)
from prefect_warm_worker.zygote.rehearsal import rehearse
rehearse(recording.renewed)
reads = recording.end()
print(json.dumps({"names": reads.names, "whole": reads.whole, "met": sorted(map(list, met)), "settings": sorted(settings),
    "renewed": sorted(recording.renewed)}))
"""


@pytest.fixture(scope="module")
def recorded() -> Any:  # noqa: ANN401  # as JSON has it
    """Record what a zygote reads for Prefect's engine."""
    command = [sys.executable, "-c", _RECORD]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def test_nothing_looks_at_all_variables_but_what_is_known_to(recorded: Any) -> None:  # noqa: ANN401  # as above
    assert not recorded["whole"], MOVED


@pytest.mark.parametrize(
    "place",
    [
        ["fsspec.config", "set_conf_env"],
        ["wsgiref.handlers", "read_environ"],
        ["prefect.context", "root_settings_context"],
        ["prefect.logging.configuration", "setup_logging"],
    ],
)
def test_what_is_known_to_is_there(recorded: Any, place: list[str]) -> None:  # noqa: ANN401  # as above
    assert place in recorded["met"], MOVED


def test_what_each_run_reads_anew_counts_as_unread(recorded: Any) -> None:  # noqa: ANN401  # as above
    settings = [name for name in recorded["names"] if name.startswith("PREFECT_") and not name.startswith("PREFECT__")]
    assert settings == [], MOVED
    assert "PREFECT_LOGGING_ROOT_LEVEL" in recorded["renewed"], MOVED


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "HOME", "DO_NOT_TRACK"])
def test_what_is_read_once_and_for_all_counts(recorded: Any, name: str) -> None:  # noqa: ANN401  # as above
    assert name in recorded["names"], MOVED


def test_while_it_is_imported_it_acts_on_settings_of_plugins_only(recorded: Any) -> None:  # noqa: ANN401  # as above
    on_the_way = {"Settings.plugins", "Settings.experiments", "ExperimentsSettings.plugins"}
    assert set(recorded["settings"]) <= {"PluginsSettings.enabled", *on_the_way}, MOVED
    assert "PluginsSettings.enabled" in recorded["settings"], MOVED
    variables = [name for name in get_current_settings().to_environment_variables() if "PLUGINS_ENABLED" in name]
    assert [name for name in variables if not name.startswith(HEEDED_AT_IMPORT)] == [], MOVED
    assert variables, MOVED
