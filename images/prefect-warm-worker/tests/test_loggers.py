"""Loggers of a run are those of a new interpreter, whatever its environment and its folder say, and whatever libraries set."""

import asyncio
from collections.abc import Collection
from pathlib import Path

import pytest

from interpreters import Program, differences, pair_in

LIBRARY = """\
import logging
logging.getLogger("library").addHandler(logging.NullHandler())
logging.getLogger("library.loud").setLevel("DEBUG")
logging.getLogger("library.loud").addHandler(logging.FileHandler("/dev/null", "w", delay=True))
logging.getLogger("library.alone").propagate = False
logging.getLogger("urllib3").setLevel("ERROR")
logging.getLogger("prefect.flow_runs").addHandler(logging.NullHandler())
logging.getLogger("library.off").disabled = True
logging.getLogger("library.plain")
"""
LOOK = """\
import logging
import prefect.main
import library

def tell(logger):
    handlers = [f"{type(handler).__name__} {handler.name} {handler.level}" for handler in logger.handlers]
    print(logger.name, logger.level, logger.getEffectiveLevel(), logger.propagate, logger.disabled, handlers)

names = ["", "prefect", "prefect.flow_runs", "prefect.extra", "mine", "urllib3", "prefect.mine", "library"]
names += [f"library.{name}" for name in ("loud", "alone", "off", "plain")]
for name in names:
    tell(logging.getLogger(name))
    if name != "prefect.flow_runs":  # whose format is for runs
        logging.getLogger(name).warning("said by %s", name)
print([type(one()).__name__ for one in logging._handlerList if "FileHandler" in str(one())], sorted(logging._handlers))
"""
SILENT = """\
version: 1
handlers: {one: {class: logging.StreamHandler, level: 0}}
loggers:
  prefect: {level: INFO, handlers: [one], propagate: false}
  prefect.extra: {level: WARNING, handlers: [one], propagate: false}
"""
NAMES = (
    SILENT
    + "  library: {level: ERROR, handlers: [one]}\n  library.loud: {level: ERROR, handlers: [one]}\nroot: {handlers: [one]}"
)
EXTRA = {"PREFECT_LOGGING_EXTRA_LOGGERS": "mine,library.plain"}
PROGRAMS = {
    "nothing": Program(LOOK),
    "extra loggers": Program(LOOK, variables=EXTRA),
    "a home": Program(LOOK, variables={"HOME": ".", **EXTRA}),
    "a prefect.toml": Program(LOOK, {"prefect.toml": "[flows]\ndefault_retries = 3\n"}, EXTRA),
    "a level": Program(LOOK, {"prefect.toml": '[logging]\nlevel = "ERROR"\nextra_loggers = "library"\n'}),
    "a silent file": Program(LOOK, {"log.yml": SILENT}, {"PREFECT_LOGGING_CONFIG_PATH": "log.yml"}),
    "a file with names": Program(LOOK, {"log.yml": NAMES}, {"PREFECT_LOGGING_CONFIG_PATH": "log.yml", **EXTRA}),
    "the file of a home": Program(LOOK, {".prefect/logging.yml": SILENT}, {"HOME": "."}),
}


@pytest.mark.parametrize(
    ("common", "names"), [({}, PROGRAMS), (EXTRA, ["nothing", "a silent file"])], ids=["none", "extra loggers"]
)
def test_a_run_has_the_loggers_of_a_new_interpreter(
    tmp_path: Path, common: dict[str, str], names: Collection[str]
) -> None:
    own = {"PREFECT_LOGGING_TO_API_ENABLED": "false", "HOME": str(tmp_path)}

    async def check() -> None:
        async with pair_in(tmp_path, {"library": LIBRARY}, ["prefect.engine"], **own, **common) as pair:
            assert not pair.preloading.failed
            found = {name: await pair.run(PROGRAMS[name]) for name in names}
        assert not differences(found), differences(found)

    asyncio.run(check())
