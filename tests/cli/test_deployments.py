"""Deployments of prefect.yaml in Prefect: each is created, changed and removed by itself, and nothing else is touched."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from commands import Cli
from platformctl.adapters.prefect.fake_definitions import FakeDeployment
from platformctl.model.deployment import MARK, SCHEMA, FlowDescription
from projects import DEPLOYMENTS

KEY = "flows/hello.py:hello/nightly"
DAILY, HOURLY = '      - {cron: "0 6 * * *"}\n', "      - {interval: 3600, slug: hourly}\n"


def declare(cli: Cli, more: str = "", text: str = DEPLOYMENTS) -> str:
    """Declare the deployment with more keys, bring the platform to it, and return what was said."""
    (cli.folder / "prefect.yaml").write_text(text + more)
    result = cli("up")
    assert result.exit_code == 0, result.output
    return str(result.output)


def nightly(cli: Cli) -> FakeDeployment:
    return cli.fakes.prefect.deployments["hello/nightly"]


def schedules(cli: Cli) -> list[dict[str, Any]]:
    return [held["schedule"] for held in nightly(cli).schedules.values()]


def writes(output: str) -> list[str]:
    """What was done about deployments, without how long it took."""
    kinds = (" deployment ", " schedule of ", " triggers of ", " flows ")
    return [
        line.removeprefix("ok ")
        for line in output.splitlines()
        if line.startswith("ok ") and any(k in line for k in kinds)
    ]


def test_a_changed_field_is_changed_alone_and_shown_old_and_new(running: Cli) -> None:
    before = dict(nightly(running).fields)

    (line,) = writes(declare(running, "    tags: [etl]\n    parameters: {source: sea}\n"))

    assert 'parameters none -> {"source": "sea"}, tags none -> ["etl"]' in line
    changed = {key for key, value in nightly(running).fields.items() if value != before.get(key)}
    assert changed == {"tags", "parameters", SCHEMA}
    assert running.fakes.engine.calls == []
    assert "Nothing to do" in declare(running, "    tags: [etl]\n    parameters: {source: sea}\n")


def test_a_key_that_is_gone_has_its_default_again(running: Cli) -> None:
    declare(running, "    tags: [etl]\n    concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW}\n")
    assert nightly(running).fields["concurrency_options"] == {"collision_strategy": "CANCEL_NEW"}

    declare(running)

    found = nightly(running).fields
    assert (found["tags"], found["concurrency_limit"], found["concurrency_options"]) == ([], None, None)


@pytest.mark.parametrize("text", ["", "deployments: []\n", None])
def test_what_is_no_longer_declared_is_removed_and_what_others_deployed_stays(running: Cli, text: str | None) -> None:
    running.fakes.prefect.deployments["hello/theirs"] = FakeDeployment("theirs.py:hello/theirs", "prod")
    (running.folder / "prefect.yaml").write_text(text or "")
    if text is None:
        (running.folder / "prefect.yaml").unlink()

    shown = running("plan").output
    assert "remove  deployment hello/nightly  no longer in prefect.yaml" in shown.replace("   ", "  ").replace(
        "   ", "  "
    )
    assert running("up").exit_code == 0

    assert list(running.fakes.prefect.deployments) == ["hello/theirs"]
    assert "Nothing to do" in running("up").output


def test_what_somebody_changed_in_prefect_is_shown_as_that_and_set_back(running: Cli) -> None:
    nightly(running).fields["tags"] = ["by hand"]

    output = declare(running)

    assert 'changed in Prefect: tags ["by hand"] -> none' in output
    assert nightly(running).fields["tags"] == []


def test_a_pause_in_prefect_stays_unless_the_file_says_otherwise(running: Cli) -> None:
    nightly(running).fields["paused"] = True

    assert "Nothing to do" in declare(running)
    declare(running, "    tags: [etl]\n")
    assert nightly(running).fields["paused"] is True
    declare(running, "    tags: [etl]\n    paused: false\n")
    assert nightly(running).fields["paused"] is False


@pytest.mark.parametrize("more", ["    schedules: []\n", ""])
def test_schedules_that_are_gone_from_the_file_end(running: Cli, more: str) -> None:
    declare(running, f"    schedules:\n{DAILY}{HOURLY}")
    assert len(schedules(running)) == 2

    output = declare(running, more)

    assert schedules(running) == []
    assert "cron 0 6 * * * is not in prefect.yaml" in output
    assert "hourly interval 3600 s is not in prefect.yaml" in output
    assert "Nothing to do" in declare(running, more)


def test_schedules_are_changed_one_by_one_and_stay_paused(running: Cli) -> None:
    declare(running, f"    schedules:\n{DAILY}{HOURLY}")
    daily, hourly = nightly(running).schedules.items()
    for _, held in (daily, hourly):
        held["active"] = False

    lines = writes(declare(running, f"    schedules:\n{HOURLY.replace('3600', '1800')}{DAILY}"))

    assert len(lines) == 1, lines
    assert 'hourly interval 1800 s: schedule {"interval": 3600.0} -> {"interval": 1800.0}' in lines[0]
    assert list(nightly(running).schedules) == [daily[0], hourly[0]]
    assert [held["active"] for held in nightly(running).schedules.values()] == [False, False]


def test_schedules_of_the_ui_stay_where_the_file_never_had_any(running: Cli) -> None:
    nightly(running).add({"schedule": {"cron": "0 5 * * *"}})

    assert "Nothing to do" in declare(running)
    assert schedules(running) == [{"cron": "0 5 * * *"}]


def test_triggers_come_and_go_with_the_file(running: Cli) -> None:
    declare(running, "    triggers: [{type: event, expect: [x]}]\n")
    assert [found["name"] for found in nightly(running).automations] == ["nightly__automation_1"]
    assert "Nothing to do" in declare(running, "    triggers: [{type: event, expect: [x]}]\n")

    declare(running)

    assert nightly(running).automations == []


def test_a_new_deployment_has_its_triggers_and_schedules_at_once(cli: Cli) -> None:
    declare(cli, f"    triggers: [{{type: event, expect: [x]}}]\n    schedules:\n{DAILY}")

    assert len(nightly(cli).automations) == 1
    assert schedules(cli) == [{"cron": "0 6 * * *"}]
    assert "Nothing to do" in cli("up").output


def test_after_an_image_changed_only_what_differs_is_written(running: Cli) -> None:
    text = DEPLOYMENTS + DEPLOYMENTS.removeprefix("deployments:\n").replace("nightly", "hourly")
    declare(running, text=text)
    described = FlowDescription("hello", "Says hello.", None, running.fakes.prefect.parameters)
    running.fakes.engine.flows[KEY.replace("nightly", "hourly")] = described
    (running.folder / "flows" / "hello.py").write_text((running.folder / "flows" / "hello.py").read_text() + "# more\n")

    lines = writes(declare(running, text=text))

    assert [line.split("  ")[0] for line in lines] == [
        "describe flows pipelines",
        "update deployment hello/hourly",
        "record flows",
    ]
    assert "description none -> Says hello." in lines[1]
    assert "Nothing to do" in declare(running, text=text)


def test_a_flow_that_cannot_be_loaded_leaves_workers_and_deployments_alone(running: Cli) -> None:
    running.fakes.engine.failing["flows pipelines"] = "ModuleNotFoundError: No module named 'nowhere'"
    (running.folder / "flows" / "hello.py").write_text((running.folder / "flows" / "hello.py").read_text() + "# more\n")
    before = dict(running.fakes.engine.instances)

    result = running("up")

    assert result.exit_code == 1
    assert "flows/hello.py:hello of the deployment 'nightly' can't be loaded in the image 'pipelines':" in result.output
    assert "  ModuleNotFoundError: No module named 'nowhere'" in result.output
    assert running.fakes.engine.instances == before


def test_a_flow_that_has_another_name_by_now_is_deployed_under_it(running: Cli) -> None:
    running.fakes.engine.flows[KEY] = FlowDescription("Hello", None, None, running.fakes.prefect.parameters)
    (running.folder / "flows" / "hello.py").write_text((running.folder / "flows" / "hello.py").read_text() + "# more\n")

    declare(running)

    assert list(running.fakes.prefect.deployments) == ["Hello/nightly"]
    assert "Nothing to do" in running("up").output


def test_a_flow_that_has_another_file_by_now_is_the_same_deployment(running: Cli) -> None:
    held = nightly(running)
    (running.folder / "flows" / "hello.py").rename(running.folder / "flows" / "moved.py")

    declare(running, text=DEPLOYMENTS.replace("hello.py", "moved.py"))

    assert nightly(running) is held
    assert held.fields["entrypoint"] == "flows/moved.py:hello"


def test_values_of_variables_are_filled_in_and_those_of_blocks_are_not_shown(running: Cli) -> None:
    values: dict[str, object] = {"prefect.variables.team": {"lead": "ann"}, "prefect.blocks.secret.token": "s3cret"}
    running.fakes.prefect.values = values
    more = (
        '    parameters: {source: "{{ prefect.blocks.secret.token }}"}\n    tags: ["by {{ prefect.variables.team }}"]\n'
    )

    (running.folder / "prefect.yaml").write_text(DEPLOYMENTS + more)
    assert "s3cret" not in running("plan", "-o", "json").output
    output = declare(running, more)

    assert "s3cret" not in output
    assert "parameters changed" in output
    assert nightly(running).fields["parameters"] == {"source": "s3cret"}
    assert nightly(running).fields["tags"] == ["by {'lead': 'ann'}"]
    running.fakes.prefect.values = {**values, "prefect.variables.team": "us"}
    assert """tags ["by {'lead': 'ann'}"] -> ["by us"]""" in declare(running, more)


def test_a_variable_that_prefect_lacks_is_named_before_anything_is_changed(running: Cli) -> None:
    (running.folder / "prefect.yaml").write_text(DEPLOYMENTS + '    tags: ["{{ prefect.variables.none }}"]\n')

    result = running("up")

    assert result.exit_code == 2
    assert "The deployment 'nightly' refers to prefect.variables.none, which isn't in Prefect." in result.output


def test_what_an_earlier_platformctl_registered_is_adopted_or_removed(running: Cli) -> None:
    prefect = running.fakes.prefect
    unmarked = {key: value for key, value in nightly(running).fields[SCHEMA].items() if key != MARK}
    nightly(running).fields[SCHEMA] = unmarked
    prefect.deployments["hello/gone"] = FakeDeployment("flows/hello.py:hello/gone", "prod")
    prefect.described, prefect.former = {}, {KEY: "d1", "flows/hello.py:hello/gone": "d2"}

    output = declare(running)

    assert list(prefect.deployments) == ["hello/nightly"]
    assert MARK in nightly(running).fields[SCHEMA]
    assert prefect.former is None
    assert "remove variable platformctl_deployments" in output
    assert "Nothing to do" in running("up").output


def test_five_hundred_deployments_with_long_names_are_deployed(running: Cli) -> None:
    entry = DEPLOYMENTS.removeprefix("deployments:\n")
    names = [f"{'a-long-name-' * 8}{number}" for number in range(500)]
    text = "deployments:\n" + "".join(entry.replace("nightly", name) for name in names)

    declare(running, text=text)

    assert list(running.fakes.prefect.deployments) == [f"hello/{name}" for name in names]
    assert "Nothing to do" in declare(running, text=text)


def test_deployments_that_others_changed_by_prefects_own_means_are_marked_again(running: Cli) -> None:
    held: Mapping[str, Any] = nightly(running).fields
    mark = held[SCHEMA][MARK]
    nightly(running).fields[SCHEMA] = {"properties": {}}

    output = declare(running)

    assert "deployed by other means so far" in output
    assert nightly(running).fields[SCHEMA][MARK] == mark


TWO = DEPLOYMENTS + DEPLOYMENTS.removeprefix("deployments:\n").replace("nightly", "hourly")


def test_deploy_does_the_deployments_alone(running: Cli) -> None:
    (running.folder / "prefect.yaml").write_text(TWO + "    tags: [etl]\n")

    result = running("deploy", "--check")
    assert result.exit_code == 3, result.output
    assert "deployment hello/hourly" in result.output
    assert list(running.fakes.prefect.deployments) == ["hello/nightly"]
    result = running("deploy")

    assert result.exit_code == 0, result.output
    assert list(running.fakes.prefect.deployments) == ["hello/nightly", "hello/hourly"]
    assert running.fakes.engine.calls == ["describe pipelines"]
    assert "Nothing to do" in running("deploy").output
    assert running("deploy", "--check").exit_code == 0
    assert "Nothing to do" in running("up").output


def test_deploy_of_one_leaves_the_others_as_they_are(running: Cli) -> None:
    (running.folder / "prefect.yaml").write_text(TWO.replace("prod", "dev").replace("nightly", "daily"))

    result = running("deploy", "hello/hourly")

    assert result.exit_code == 0, result.output
    assert list(running.fakes.prefect.deployments) == ["hello/nightly", "hello/hourly"]
    assert "Nothing to do" in running("deploy", "hourly").output
    result = running("deploy", "houry")
    assert result.exit_code == 2
    assert "prefect.yaml has no deployment 'houry'; did you mean 'hourly'?" in result.output


def test_deploy_keeps_what_is_declared_no_more_if_it_is_told_to(running: Cli) -> None:
    (running.folder / "prefect.yaml").write_text("deployments: []\n")

    assert running("deploy", "--no-prune").exit_code == 0
    assert list(running.fakes.prefect.deployments) == ["hello/nightly"]
    steps = json.loads(running("deploy", "-o", "json").output)["steps"]

    assert [(step["action"], step["resource"]) for step in steps if "deployment" in step["resource"]] == [
        ("remove", "deployment hello/nightly")
    ]
    assert running.fakes.prefect.deployments == {}


def test_deploy_replaces_the_workers_of_a_changed_image_and_leaves_the_server(running: Cli) -> None:
    (running.folder / "flows" / "hello.py").write_text((running.folder / "flows" / "hello.py").read_text() + "# more\n")
    before = dict(running.fakes.engine.instances)

    assert running("deploy").exit_code == 0

    replaced = {name for name, held in running.fakes.engine.instances.items() if held != before.get(name)}
    assert replaced == {"acme-worker-dev-1", "acme-worker-prod-1", "acme-worker-prod-2"}
    assert "Nothing to do" in running("up").output


def test_deploy_needs_a_server(cli: Cli) -> None:
    result = cli("deploy")

    assert result.exit_code == 1
    assert "doesn't answer" in result.output
    assert "platformctl up" in result.output
