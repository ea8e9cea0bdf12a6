"""What a zygote did ahead with Prefect is what a run would do itself; where its environment differs, it does."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from prefect_warm_worker.forks.forking import Zygote
from prefect_warm_worker.forks.preloading import Preloading
from prefect_warm_worker.protocol import Job

_TELL = """
import logging
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings
with get_client(sync_client=True) as one, get_client(sync_client=True) as other:
    print(one.api_url, logging.getLogger("prefect").level, get_current_settings().flows.default_retries)
"""

_LOG = """
import sys
from prefect.logging import get_logger
before = set(sys.modules)
get_logger("flow_runs").warning("beginning")
print("imported:", sorted(set(sys.modules) - before))
"""

_BEAT = """
import threading
from types import SimpleNamespace
from unittest.mock import MagicMock
from prefect import flow_engine

class Engine(MagicMock):
    heartbeat_seconds = 30
    def _build_heartbeat_event_template(self):
        return None, None

before = set(threading.enumerate())
with flow_engine._send_heartbeats(Engine(flow_run=SimpleNamespace(state=None))):
    (heart,) = set(threading.enumerate()) - before
print(heart.daemon and heart.is_alive())
"""

_ASK = """
from prefect.client import base
asked = [base.PrefectHttpxSyncClient(base_url=f"http://127.0.0.1:{port}/api/") for port in (9, 7)]
print(base.PREFECT_CLIENT_MAX_RETRIES.value(), *(client._has_connected for client in asked))
"""


def _environment(home: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        **more,
    }


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "http://127.0.0.1:9/api/ 20 0"),
        ({"PREFECT_API_URL": "http://127.0.0.1:7/api"}, "http://127.0.0.1:7/api/ 20 0"),
        ({"PREFECT_LOGGING_LEVEL": "ERROR"}, "http://127.0.0.1:9/api/ 40 0"),
        ({"PREFECT__FLOW_RUN_ID": "1"}, "http://127.0.0.1:9/api/ 20 0"),
    ],
)
def test_a_run_has_the_settings_of_its_environment(tmp_path: Path, more: Mapping[str, str], said: str) -> None:
    assert _run(tmp_path, _TELL, more) == said


def test_a_run_has_the_settings_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "prefect.toml").write_text("[flows]\ndefault_retries = 3\n", encoding="utf-8")
    assert _run(tmp_path, _TELL, {}) == "http://127.0.0.1:9/api/ 20 3"


def test_a_run_has_the_settings_of_a_profile_that_changed(tmp_path: Path) -> None:
    (tmp_path / ".prefect").mkdir()
    profile = 'active = "one"\n[profiles.one]\nPREFECT_FLOWS_DEFAULT_RETRIES = "2"\n'
    assert _run(tmp_path, _TELL, {}, profile) == "http://127.0.0.1:9/api/ 20 2"


def test_the_end_of_a_flow_does_not_wait_for_the_thread_of_its_heartbeats(tmp_path: Path) -> None:
    assert _run(tmp_path, _BEAT, {}) == "True"


@pytest.mark.parametrize(("more", "retries"), [({}, 300), ({"PREFECT_CLIENT_MAX_RETRIES": "3"}, 3)])
def test_a_run_waits_for_its_workers_server_and_for_no_other(
    tmp_path: Path, more: Mapping[str, str], retries: int
) -> None:
    assert _run(tmp_path, _ASK, more) == f"{retries} True False"


def test_the_first_line_of_a_runs_log_imports_nothing(tmp_path: Path) -> None:
    assert _run(tmp_path, _LOG, {}) == "imported: []"


def _run(folder: Path, text: str, more: Mapping[str, str], profile: str | None = None) -> str:
    (folder / "told.py").write_text(text, encoding="utf-8")

    async def run() -> str:
        async with Zygote(Preloading([], ["prefect.engine"]), _environment(folder)) as zygote:
            if profile:
                (folder / ".prefect" / "profiles.toml").write_text(profile, encoding="utf-8")
            reader, writer = os.pipe()
            forked = await zygote.fork(Job("told", _environment(folder, **more), folder), writer)
            os.close(writer)
            await asyncio.wait_for(forked.ended.wait(), 60)
            with os.fdopen(reader, encoding="utf-8") as output:
                return output.read().strip().splitlines()[-1]

    return asyncio.run(run())
