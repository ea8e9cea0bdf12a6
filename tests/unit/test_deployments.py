"""prefect.yaml as it is read: which deployments, in which image, and what is wrong with it."""

import re
from pathlib import Path

import pytest
import yaml

from platformctl.errors import SpecError
from platformctl.spec.load import load_project
from platformctl.spec.prefect_yaml.parameters import check_flows
from platformctl.stack.deployments import Deployment, deployment_files, load_deployments
from projects import DEPLOYMENTS, SPEC, write_project


def with_line(more: str) -> str:
    """Return a prefect.yaml of one deployment, with something more in line 5."""
    return f"{DEPLOYMENTS}    {more}\n"


def load(folder: Path) -> tuple[Deployment, ...]:
    return load_deployments(load_project(folder))


def test_a_deployment_is_in_the_image_of_its_pool(tmp_path: Path) -> None:
    (deployment,) = load(write_project(tmp_path, prefect_yaml=DEPLOYMENTS))

    assert (deployment.name, deployment.pool, deployment.image) == ("nightly", "prod", "pipelines")


def test_without_prefect_yaml_there_are_none(tmp_path: Path) -> None:
    assert load(write_project(tmp_path)) == ()
    assert load(write_project(tmp_path, prefect_yaml="# nothing yet\n")) == ()


FLOW = (
    "def f() -> None: ...\n\n\n@flow\ndef hello(source: str = 'lake', *, size: int = 1, at: float | None = None): ...\n"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deployments: [\n", "2: not YAML: did not find expected node content"),
        ("deployments: 3\n", "1: deployments must be a list of mappings"),
        (DEPLOYMENTS + "pul: []\n", "5: unknown key 'pul'; did you mean 'pull'?"),
        ("build: [{x: {}}]\n" + DEPLOYMENTS, "1: `build` steps have no place here: the platform builds the image. "),
        ("pull:\n" + DEPLOYMENTS, "1: `pull` is empty, and flow runs would not find their code. "),
        (
            DEPLOYMENTS + DEPLOYMENTS.removeprefix("deployments:\n"),
            "5: deployment 'nightly' of flows/hello.py:hello is ",
        ),
        ("deployments:\n  - {entrypoint: f.py:g, work_pool: {name: dev}}\n", "2: a deployment: name is missing"),
        ("deployments:\n  - {name: a, work_pool: {name: dev}}\n", "2: deployment 'a': entrypoint is missing"),
        ("deployments:\n  - {name: a, entrypoint: f.py:g}\n", "2: deployment 'a': work_pool is missing"),
        (DEPLOYMENTS.replace("{name: prod}", "prod"), "4: deployment 'nightly': work_pool is the string \"prod\""),
        (
            DEPLOYMENTS.replace("prod", "prd"),
            "4: deployment 'nightly': there is no work pool 'prd' in platform.toml; did ",
        ),
        (DEPLOYMENTS.replace("prod", "gpu"), "valid here: dev, prod; `platformctl pools create gpu` makes it"),
        (
            DEPLOYMENTS.replace("nightly", "a/b"),
            "2: deployment 'a/b': name is the string \"a/b\", expected a name without",
        ),
        (DEPLOYMENTS.replace("hello.py", "helo.py"), "3: deployment 'nightly': there is no file flows/helo.py in "),
        (
            DEPLOYMENTS.replace("flows/hello.py", "x/a.py"),
            "3: deployment 'nightly': x/a.py is not in the image 'pipelines'",
        ),
        (
            DEPLOYMENTS.replace("flows/hello.py:hello", "hello"),
            "3: deployment 'nightly': entrypoint is 'hello', expected ",
        ),
        (DEPLOYMENTS.replace(":hello", ":helo"), "flows/hello.py has nothing called 'helo'; did you mean 'hello'?"),
        (DEPLOYMENTS.replace(":hello", ":f"), "flows/hello.py:1 has a function 'f' that is no flow: it lacks the "),
        (with_line("tagz: [a]"), "5: deployment 'nightly': unknown key 'tagz'; did you mean 'tags'?"),
        (with_line("env: {A: b}"), "5: deployment 'nightly': 'env' belongs under work_pool.job_variables"),
        (with_line("job_variables: {}"), "5: deployment 'nightly': 'job_variables' belongs under work_pool"),
        (with_line("tags: [[a, b], c]"), "5: deployment 'nightly': tags.0 is a list of 2, expected a string"),
        (DEPLOYMENTS.replace("nightly", ""), "2: a deployment: name is empty, expected a string"),
        (with_line("tags: etl"), "5: deployment 'nightly': tags is the string \"etl\", expected a list"),
        (with_line("push: [{x: {}}]"), "5: deployment 'nightly': `push` steps have no place here"),
        (with_line("sla: [{name: late, duration: 60}]"), "expected none: service levels are Prefect Cloud's alone"),
        (with_line("paused: 'yes'"), "5: deployment 'nightly': paused is the string \"yes\", expected true or false"),
        (with_line("concurrency_limit: 0"), "concurrency_limit.limit is 0, expected at least 1"),
        (with_line("concurrency_limit: {limit: 1, collision_strategy: WAIT}"), "expected 'ENQUEUE' or 'CANCEL_NEW'"),
        (with_line("parameters: {sorce: a}"), "5: deployment 'nightly': the flow hello has no parameter 'sorce'; did "),
        (with_line("parameters: {size: 'x'}"), "the parameter size is 'x', expected int, as hello has it"),
        (with_line("parameters: {size: true}"), "the parameter size is True, expected int"),
        (with_line("parameters: {at: soon}"), "the parameter at is 'soon', expected int or float or null"),
        (with_line("parameters: {source: '{{ nope.y }}'}"), "nothing gives {{ nope.y }} a value"),
        (with_line("parameters: {source: '{{ $BUCKET }}'}"), "{{ $BUCKET }} is not in [pools.prod.environment] of "),
    ],
)
def test_what_prefect_would_refuse_is_one_clear_error_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    write_project(tmp_path, prefect_yaml=text, flows__hello_py=FLOW)

    assert said in error_of(tmp_path)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("cron: every day", 'cron is the string "every day", expected a cron expression, such as "0 6 * * 1-5"'),
        ("cron: 0 0 30 2 *", "expected a cron expression that comes due some time: this one never does"),
        ("cron: H 6 * * *", "expected a cron expression"),
        ("cron: 0 6 * * *, timezone: Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("cron: 0 6 * * *, timezon: UTC", "unknown key 'schedules.0.timezon'; did you mean 'timezone'?"),
        (
            "cron: 0 6 * * *, interval: 60",
            "expected one of cron, interval and rrule, and not a schedule with cron and int",
        ),
        ("timezone: UTC", "expected one of cron, interval and rrule, and not a schedule without any"),
        ("interval: 0", "interval is 0:00:00, expected more than 0 seconds"),
        ("interval: often", "expected a number of seconds, or a duration such as"),
        ("rrule: FREQ=OFTEN", "expected an rrule, such as"),
        ("interval: 60, anchor_date: 2026-01-01", "expected a date in quotes, which YAML leaves as it is"),
        ("interval: 60, anchor_date: tomorrow", "expected a date and time, such as"),
        ("cron: 0 6 * * *, active: 'no'", "active is the string"),
        ("cron: 0 6 * * *, parameters: {sorce: x}", "the flow hello has no parameter 'sorce'; did you mean 'source'?"),
    ],
)
def test_a_schedule_that_prefect_would_refuse_is_named_with_its_line(tmp_path: Path, schedule: str, said: str) -> None:
    text = DEPLOYMENTS + "    schedules:\n      - {cron: 0 6 * * *}\n      - {" + schedule + "}\n"
    write_project(tmp_path, prefect_yaml=_quoted(text))

    found = error_of(tmp_path)

    assert found.startswith("prefect.yaml:7: deployment 'nightly': ")
    assert said in found.replace("schedules.1", "schedules.0")


def test_all_that_is_wrong_is_listed_at_once(tmp_path: Path) -> None:
    text = with_line("tagz: [a]") + "    paused: 3\n  - {name: b, entrypoint: flows/no.py:x, work_pool: {name: dev}}\n"
    write_project(tmp_path, prefect_yaml=text)

    lines = error_of(tmp_path).splitlines()

    assert [line.split(":")[1] for line in lines] == ["5", "6", "7"]


def test_scheduled_runs_need_what_their_flow_requires(tmp_path: Path) -> None:
    flow = "@flow\ndef hello(source, size): ...\n"
    scheduled = DEPLOYMENTS + "    parameters: {size: 1}\n    schedules:\n      - {interval: 60}\n"
    write_project(tmp_path, prefect_yaml=scheduled, flows__hello_py=flow)

    assert "the flow hello needs source, and its scheduled runs get none" in error_of(tmp_path)
    (tmp_path / "prefect.yaml").write_text(scheduled.replace("60}", "60, parameters: {source: lake}}"))
    check_flows(load_project(tmp_path))
    (tmp_path / "prefect.yaml").write_text(scheduled.replace("60}", "60, active: false}"))
    check_flows(load_project(tmp_path))


def test_a_variable_of_the_pool_is_filled_in_for_prefect_and_counts_as_a_change(tmp_path: Path) -> None:
    spec = SPEC + '\n[pools.prod.environment]\nBUCKET = "{}"\n'
    text = with_line("parameters: {source: 's3://{{ $BUCKET }}/raw'}") + "    tags: ['{{ prefect.variables.team }}']\n"
    (before,) = load(write_project(tmp_path, spec.format("lake"), prefect_yaml=text))

    (content,) = deployment_files(load_project(tmp_path), (before,)).values()
    (after,) = load(write_project(tmp_path, spec.format("sea"), prefect_yaml=text))

    (entry,) = yaml.safe_load(content)["deployments"]
    assert entry["parameters"] == {"source": "s3://lake/raw"}
    assert entry["tags"] == ["{{ prefect.variables.team }}"]
    assert before.entry["parameters"] != after.entry["parameters"]


def test_all_that_prefect_takes_is_taken(tmp_path: Path) -> None:
    text = """\
name: ours
prefect-version: 3.9.1
x-shared: &daily {cron: "0 6 * * *", timezone: Europe/Berlin, active: true, day_or: true}
.defaults: &defaults
  tags: [a, "{{ prefect.variables.team }}"]
  work_pool: {name: prod, work_queue_name: slow, job_variables: {env: {A: b}, memory_limit: 1g}}
build: null
pull:
  - prefect.deployments.steps.run_shell_script: {id: now, script: date}
deployments:
  - <<: *defaults
    name: one
    entrypoint: flows/hello.py:hello
    description: |
      Two
      lines
    version: "1"
    schedules:
      - *daily
      - {<<: *daily, slug: late, parameters: {source: sea}}
      - {interval: 3600, anchor_date: "2026-01-01T00:00:00+00:00"}
      - {interval: PT5M}
      - {rrule: "FREQ=WEEKLY;BYDAY=MO", timezone: UTC}
    concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW, grace_period_seconds: 60}
    parameters: {source: "{{ prefect.blocks.secret.source }}"}
    enforce_parameter_schema: true
    triggers: [{type: event, expect: [x], parameters: {source: "{{ event.name }}"}}]
  - {<<: *defaults, name: two, entrypoint: "flows/hello.py:hello", schedule: {}, schedules: [], concurrency_limit: 3, x-note: 1}
  - {<<: *defaults, name: three, entrypoint: "flows/hello.py:hello", schedule: {cron: "@daily"}, paused: false}
"""
    write_project(tmp_path, prefect_yaml=text)

    assert [deployment.name for deployment in load(tmp_path)] == ["one", "two", "three"]
    check_flows(load_project(tmp_path))


@pytest.mark.parametrize(
    "flow",
    [
        "from pipelines import *\n",
        "from pipelines import hello\n",
        "def work(): ...\nhello = flow(work)\n",
        "try:\n    import a\nexcept ImportError:\n    @flow\n    def hello(source=1): ...\n",
        "@flow\ndef hello(**more): ...\n",
        "@flow\nasync def hello(source: 'Lake'): ...\n",
    ],
)
def test_a_flow_that_shows_only_when_its_file_runs_is_left_to_prefect(tmp_path: Path, flow: str) -> None:
    check_flows(
        load_project(write_project(tmp_path, prefect_yaml=with_line("parameters: {source: x}"), flows__hello_py=flow))
    )


def test_a_flow_that_is_not_python_is_named_with_its_line(tmp_path: Path) -> None:
    write_project(tmp_path, prefect_yaml=DEPLOYMENTS, flows__hello_py="x = 1\ndef hello(:\n")

    assert "prefect.yaml:3: deployment 'nightly': flows/hello.py:2 is not Python: invalid syntax" in error_of(tmp_path)


@pytest.mark.parametrize("folder", ["C:\\flows", "/home/me/flows", "/Users/me"])
def test_a_step_into_a_folder_that_no_image_has_is_refused(tmp_path: Path, folder: str) -> None:
    step = f"pull:\n  - prefect.deployments.steps.set_working_directory: {{directory: '{folder}'}}\n"
    write_project(tmp_path, prefect_yaml=step + DEPLOYMENTS)

    found = error_of(tmp_path)
    assert found.startswith(f"prefect.yaml:2: {folder!r} is a folder of ")
    assert found.endswith("Leave the step out: runs begin where the flows are")


def error_of(folder: Path) -> str:
    """Return what is wrong with a project's prefect.yaml."""
    with pytest.raises(SpecError) as caught:
        check_flows(load_project(folder))
    return str(caught.value.message)


def _quoted(text: str) -> str:
    """The same with its cron expressions in quotes, as an asterisk is a sign of YAML's in braces."""
    return re.sub(r"cron: ([^,}]*[^,}\s])", r'cron: "\1"', text)


def test_each_image_registers_what_is_in_it_with_all_that_is_shared(tmp_path: Path) -> None:
    spec = SPEC + '\n[images.other]\nflows = "flows"\n[pools.etl]\nimage = "other"\n'
    spec = spec.replace("[pools.dev]\n", '[pools.dev]\nimage = "pipelines"\n').replace(
        "[pools.prod]\n", '[pools.prod]\nimage = "pipelines"\n'
    )
    more = (
        DEPLOYMENTS
        + "  - {name: hourly, entrypoint: 'flows/hello.py:hello', work_pool: {name: etl}}\ndefinitions: {a: 1}\n"
    )
    project = load_project(write_project(tmp_path, spec, prefect_yaml=more))

    files = deployment_files(project, load(tmp_path))

    names = {
        image: [entry["name"] for entry in yaml.safe_load(content)["deployments"]] for image, content in files.items()
    }
    assert names == {"pipelines": ["nightly"], "other": ["hourly"]}
    assert all(yaml.safe_load(content)["definitions"] == {"a": 1} for content in files.values())
