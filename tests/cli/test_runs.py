"""run and build-image, as typed."""

from commands import Cli


def test_a_watched_run_shows_its_log_and_succeeds_if_it_completed(running: Cli) -> None:
    result = running("run", "hello/nightly", "-p", "source=lake", "--watch")

    assert result.exit_code == 0, result.output
    assert "hello from the flow" in result.output
    assert "Completed" in result.output
    assert running.fakes.prefect.messages["run-1"] == "{'source': 'lake'}"


def test_a_watched_run_that_fails_exits_1(running: Cli) -> None:
    running.fakes.prefect.outcome = "FAILED"

    result = running("run", "hello/nightly", "--watch")

    assert result.exit_code == 1
    assert "is Failed" in result.output


def test_a_run_that_can_not_begin_says_why(running: Cli) -> None:
    assert "It waits" not in running("run", "hello/nightly").output
    running("pools", "pause", "prod")
    assert "The flow run waits: the work pool prod is paused" in running("run", "hello/nightly").output
    running("pools", "resume", "prod")
    running.fakes.prefect.worker_rows.clear()
    assert "no worker of the work pool prod is online" in running("run", "hello/nightly").output


def test_parameters_are_json_or_strings(running: Cli) -> None:
    running.fakes.prefect.parameters = {"properties": {"a": {}, "b": {}, "c": {}}}

    running("run", "hello/nightly", "-p", "a=3", "-p", 'b=["x"]', "-p", "c=1=2")

    assert running.fakes.prefect.messages["run-1"] == "{'a': 3, 'b': ['x'], 'c': '1=2'}"


def test_a_run_has_the_name_and_the_start_that_it_is_given(running: Cli) -> None:
    result = running("run", "hello/nightly", "--name", "by-hand", "--tag", "a", "--at", "2099-01-01T00:00Z")

    assert result.exit_code == 0, result.output
    assert "by-hand is scheduled for " in result.output
    assert running("run", "hello/nightly", "--in", "1m", "--at", "2099-01-01").exit_code == 2
    assert len(running.fakes.prefect.flow_runs) == 1


def test_parameters_come_from_a_file_too(running: Cli) -> None:
    (running.folder / "p.yaml").write_text("source: lake\n")

    assert running("run", "hello/nightly", "--params", str(running.folder / "p.yaml")).exit_code == 0

    assert running.fakes.prefect.messages["run-1"] == "{'source': 'lake'}"


def test_what_is_no_json_is_a_string(running: Cli) -> None:
    running.fakes.prefect.parameters = {"properties": {"a": {}, "b": {}}}

    running("run", "hello/nightly", "-p", "a=NaN", "-p", "b=" + "[" * 100_000)

    assert running.fakes.prefect.messages["run-1"].startswith("{'a': 'NaN', 'b': '[[[")


def test_what_is_not_there_is_named_with_the_nearest(running: Cli) -> None:
    running.fakes.prefect.parameters = {"properties": {"source": {}}, "required": ["source"]}
    for words, said in (
        (["hello/nightli"], "did you mean 'hello/nightly'?"),
        (["hello"], "It must be FLOW/DEPLOYMENT"),
        (["hello/nightly", "-p", "sorce=1"], "did you mean 'source'?"),
        (["hello/nightly", "-p", "source"], "has no value"),
        (["hello/nightly"], "source: it must be given, `-p source=VALUE`"),
    ):
        result = running("run", *words)
        assert result.exit_code == 2, result.output
        assert said in result.output
    assert not running.fakes.prefect.flow_runs


def test_a_run_needs_a_platform(cli: Cli) -> None:
    result = cli("run", "hello/nightly")

    assert result.exit_code == 1
    assert "`platformctl up` starts it" in result.output


def test_build_image_builds_what_changed_and_nothing_else(cli: Cli) -> None:
    assert "built" in cli("build-image").output
    assert "unchanged" in cli("build-image", "pipelines").output
    assert [call.split()[1] for call in cli.fakes.engine.calls if call.startswith("build")] == ["pipelines"]

    (cli.folder / "flows" / "hello.py").write_text("# changed\n")
    (cli.folder / "prefect.yaml").unlink()

    assert "built" in cli("build-image").output
    assert "built" in cli("build-image", "--no-cache").output


def test_an_image_that_is_not_there_or_has_no_repository_is_refused(cli: Cli) -> None:
    assert "did you mean 'pipelines'?" in cli("build-image", "pipeline").output
    refused = cli("build-image", "--push")
    assert refused.exit_code == 2
    assert "repository" in refused.output
    assert not cli.fakes.engine.calls
