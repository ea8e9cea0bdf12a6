"""Deployments of prefect.yaml from the first to the last: created, changed, drifted, scheduled, and removed."""

from pathlib import Path
from typing import Any

import pytest

from e2e.project import read_files, restore_files
from e2e.stack import Stack
from e2e.waiting import step

NIGHTLY = """\
  - name: nightly
    entrypoint: flows/hello.py:hello
    work_pool: {name: default}
"""
SCHEDULES = """\
    schedules:
      - {cron: "0 6 * * *", timezone: Europe/Berlin}
      - {rrule: "FREQ=WEEKLY;BYDAY=MO", slug: weekly}
"""


@pytest.fixture
def file(running: Stack) -> Any:  # noqa: ANN401  # an iterator of a path
    """The platform's prefect.yaml; afterwards it and the deployments are as they were."""
    before = read_files(running.folder)
    yield running.folder / "prefect.yaml"
    restore_files(running.folder, before)
    running.must("deploy")


def nightly(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.server.ask("GET", "/deployments/name/hello/nightly")
    return found


def names(stack: Stack) -> list[str]:
    return sorted(item["name"] for item in stack.server.ask("POST", "/deployments/filter", {}))


def test_a_deployment_follows_its_file_from_its_creation_to_its_removal(running: Stack, file: Path) -> None:
    base = file.read_text()
    step("A new one is created with its schedules, and its flow runs.")
    file.write_text(base + NIGHTLY + SCHEDULES)
    assert "create deployment hello/nightly" in running.must("deploy")
    created = nightly(running)
    assert len(created["schedules"]) == 2
    assert created["parameter_openapi_schema"]["properties"]["source"]["default"] == "warehouse"
    running.must("run", "hello/nightly", "--watch")
    assert running.ctl("deploy", "--check").code == 0
    step("A changed field is changed alone, and what somebody paused stays paused.")
    running.server.ask("PATCH", f"/deployments/{created['id']}", {"paused": True})
    file.write_text(base + NIGHTLY + SCHEDULES + "    tags: [etl]\n")
    assert 'tags none -> ["etl"]' in running.must("up")
    changed = nightly(running)
    assert (changed["id"], changed["tags"], changed["paused"]) == (created["id"], ["etl"], True)
    assert {each["id"] for each in changed["schedules"]} == {each["id"] for each in created["schedules"]}
    step("What was changed in Prefect is shown as that, and set back.")
    running.server.ask("PATCH", f"/deployments/{created['id']}", {"tags": ["by hand"]})
    shown = running.ctl("deploy", "--check")
    assert shown.code == 3
    assert 'changed in Prefect: tags ["by hand"] -> ["etl"]' in shown.out
    running.must("up")
    assert nightly(running)["tags"] == ["etl"]
    step("An emptied list of schedules ends them.")
    file.write_text(base + NIGHTLY + "    schedules: []\n    tags: [etl]\n")
    running.must("up")
    assert nightly(running)["schedules"] == []
    step("What is no longer declared is removed, and nothing else.")
    file.write_text(base)
    assert "no longer in prefect.yaml" in running.must("up")
    assert names(running) == ["fail", "hello", "slow"]
    assert running.ctl("plan", "--check").code == 0


def test_a_flow_that_cannot_be_loaded_is_told_before_anything_is_changed(running: Stack, file: Path) -> None:
    before = running.machine.instances("worker")
    file.write_text(file.read_text() + NIGHTLY.replace("hello.py:hello", "hello.py:made"))
    flow = running.folder / "flows" / "hello.py"
    flow.write_text(
        flow.read_text()
        + "\n\nimport os\nif os.environ.get('PREFECT_API_URL'):\n    raise OSError('no lake')\nmade = 1\n"
    )

    result = running.ctl("up")

    assert result.code == 1
    assert "can't be loaded in the image 'pipelines':" in result.err
    assert "OSError: no lake" in result.err
    assert running.machine.instances("worker") == before
