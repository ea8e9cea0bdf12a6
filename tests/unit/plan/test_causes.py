"""Why something is replaced or started, in the words of a plan."""

from dataclasses import replace
from pathlib import Path

import pytest

from platformctl.plan.causes import describe, replacement_cause, unknown_cause
from platformctl.plan.wanted import Wanted
from projects import load_docker, write_project
from worlds import NOON, everything, instance, nothing


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    return load_docker(write_project(tmp_path))


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({}, None),
        ({"status": "exited", "exit_code": 1}, None),  # it is started, not replaced
        ({"release": "old"}, "its settings changed"),
        ({"release": "old", "image": "postgres:17"}, "image postgres:17 -> postgres:18"),
        ({"image": "postgres:17"}, None),  # the same release names its image otherwise
        ({"stranded": "its network is gone"}, "its network is gone"),
        ({"stranded": "its network is gone", "release": "old"}, "its network is gone"),
    ],
)
def test_an_instance_is_replaced_where_it_is_not_what_is_wanted(
    wanted: Wanted, fields: dict[str, object], cause: str | None
) -> None:
    (service,) = (found for found in wanted.stack.services if found.name == "database")
    there = replace(instance(service), **fields)  # type: ignore[arg-type]  # fields of it
    assert replacement_cause(service, (there,)) == cause
    assert replacement_cause(service, (there, there)) == "an interrupted change left two instances"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "exited", "exit_code": 137}, "stopped with exit code 137"),
        ({"status": "created"}, "never started"),
        ({"status": "restarting"}, "keeps restarting"),
        ({"status": "dead"}, "failed to start"),
        ({"status": "paused"}, "paused"),
    ],
)
def test_what_does_not_run_is_told_with_what_it_does(wanted: Wanted, fields: dict[str, object], said: str) -> None:
    there = replace(instance(wanted.stack.services[0]), **fields)  # type: ignore[arg-type]  # as above
    assert describe(there) == said


def test_only_a_database_without_a_server_hides_what_prefect_has(wanted: Wanted) -> None:
    there = everything(wanted)
    assert unknown_cause(there) is None
    assert unknown_cause(replace(there, prefect=None)) == "the server doesn't answer yet; skipped if it exists"
    machine = replace(nothing().machine, volumes={"acme_results-dev": NOON})
    assert not unknown_cause(replace(nothing(), machine=machine))
