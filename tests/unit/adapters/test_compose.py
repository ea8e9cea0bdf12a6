"""The command lines that Compose and Buildx are called with, and what is made of what they say."""

from pathlib import Path

import pytest

from platformctl.adapters.compose import Compose
from platformctl.errors import BuildError, EngineError, ServiceError
from recording import Recording

BUNDLE = Path("/srv/acme/bundle")
COMPOSE = f"compose --file {BUNDLE}/compose.yaml --profile deploy --profile spare"
BUILD = "buildx build --progress plain --provenance=false"


@pytest.fixture
def compose(command: Recording) -> Compose:
    return Compose(BUNDLE, str(command.path))


def test_services_start_alone_from_images_that_are_there(compose: Compose, command: Recording) -> None:
    compose.start(["database", "server"])
    assert command.lines == [f"{COMPOSE} up --detach --no-build --no-deps --pull never database server"]


def test_services_are_made_anew_where_that_is_asked_for(compose: Compose, command: Recording) -> None:
    compose.start(["server"], recreate=True)
    assert command.lines == [f"{COMPOSE} up --detach --force-recreate --no-build --no-deps --pull never server"]


def test_a_refusal_to_start_has_the_last_lines_without_the_command_line(compose: Compose, command: Recording) -> None:
    said = "".join(f"line {number}\n" for number in range(6))
    command.answer("up", err=said, code=1)
    with pytest.raises(EngineError, match=r"Docker Compose failed: line 2\nline 3\nline 4\nline 5$") as failure:
        compose.start(["server"])
    assert "type the same command" in failure.value.remedy


def test_a_one_shot_runs_alone_and_its_words_are_told(compose: Compose, command: Recording) -> None:
    command.answer("run", "Deployment 'hello/nightly'\ncreated\n")
    lines: list[str] = []
    compose.run("deploy-pipelines", ["python", "x.py"], lines.append)
    assert lines == ["Deployment 'hello/nightly'", "created"]
    assert command.lines == [f"{COMPOSE} run --no-TTY --no-deps --rm deploy-pipelines python x.py"]


def test_a_one_shot_that_fails_has_all_its_words(compose: Compose, command: Recording) -> None:
    command.answer("run", "no such\n", err="pool\n", code=1)
    with pytest.raises(ServiceError) as failure:
        compose.run("deploy-pipelines", [], lambda _: None)
    assert failure.value.message.splitlines()[0] == "What the flows of the image 'pipelines' are can't be found out:"
    assert sorted(failure.value.message.splitlines()[1:]) == ["no such", "pool"]


def test_a_command_runs_beside_a_service_and_only_reads_what_it_is_lent(compose: Compose, command: Recording) -> None:
    compose.run_beside("worker-dev-1", ["cp", "/old/x", "/x"], {"acme_results": "/old"})
    lent = "--volume acme_results:/old:ro"
    assert command.lines == [f"{COMPOSE} run --no-TTY --no-deps --rm {lent} worker-dev-1 cp /old/x /x"]


def test_a_command_beside_a_service_that_fails_is_explained(compose: Compose, command: Recording) -> None:
    command.answer("run", err="cp: error writing '/x': No space left on device\n", code=1)
    with pytest.raises(EngineError, match="No space left on device"):
        compose.run_beside("worker-dev-1", ["cp", "/old/x", "/x"], {})


def test_logs_are_lines_of_some_services(compose: Compose, command: Recording) -> None:
    command.answer("logs", "acme-server  | one\nacme-server  | two\n")
    assert list(compose.logs(["server"], follow=False, tail=5)) == ["acme-server  | one", "acme-server  | two"]
    assert list(compose.logs([], follow=True, tail=None))
    assert command.lines == [f"{COMPOSE} logs --no-color --tail 5 server", f"{COMPOSE} logs --no-color --follow"]


def test_a_failure_to_read_logs_is_explained(compose: Compose, command: Recording) -> None:
    command.answer("logs", err="no such service: sever\n", code=1)
    with pytest.raises(EngineError, match="no such service: sever"):
        list(compose.logs(["sever"], follow=False, tail=None))


def test_an_image_is_built_with_its_secrets_and_loaded(compose: Compose, command: Recording) -> None:
    secrets = {"index": Path("/s/index"), "ca": Path("/s/ca.pem")}
    compose.build("pipelines", "acme/pipelines:1", secrets=secrets, labels={"platform": "acme"})
    words = "--load --secret id=index,src=/s/index --secret id=ca,src=/s/ca.pem --tag acme/pipelines:1"
    build = BUILD.replace("--provenance", "--label platform=acme --provenance")
    assert command.lines == [f"{build} {words} {BUNDLE}/images/pipelines"]


def test_an_image_is_built_anew_for_platforms_and_pushed(compose: Compose, command: Recording) -> None:
    platforms = ["linux/amd64", "linux/arm64"]
    compose.build("ml", "hub/ml:1", secrets={}, use_cache=False, push=True, platforms=platforms)
    words = "--push --platform linux/amd64,linux/arm64 --no-cache --tag hub/ml:1"
    assert command.lines == [f"{BUILD} {words} {BUNDLE}/images/ml"]


def test_each_line_of_a_build_is_reported(compose: Compose, command: Recording) -> None:
    command.answer("build", err="#1 [base 1/2] FROM python  \n\n#2 DONE 0.1s\n")
    lines: list[str] = []
    compose.build("ml", "ml:1", secrets={}, report=lines.append)
    assert lines == ["#1 [base 1/2] FROM python", "#2 DONE 0.1s"]


FAILED = """\
#4 [requirements 2/3] RUN uv pip install
#5 [flows 1/2] COPY
#5 0.10 this is another step
#4 0.31 Resolving
#4 12.50 No solution found: pandas==99
#4 ERROR: process "/bin/sh -c uv pip install" did not complete successfully: exit code: 1
------
ERROR: failed to build
"""


def test_a_failed_build_says_what_its_step_said(compose: Compose, command: Recording) -> None:
    command.answer("build", err=FAILED, code=1)
    with pytest.raises(BuildError) as failure:
        compose.build("ml", "ml:1", secrets={})
    where = "The image 'ml' can't be built at its stage 'requirements':"
    assert failure.value.message == f"{where}\n  Resolving\n  No solution found: pandas==99"
    assert "platformctl build-image ml" in failure.value.remedy


def test_a_step_that_said_nothing_is_told_by_its_error(compose: Compose, command: Recording) -> None:
    command.answer("build", err="#7 [internal] load metadata\n#7 ERROR: no such image: python:0\n", code=1)
    with pytest.raises(BuildError, match=r"'ml' can't be built:\n  no such image: python:0$"):
        compose.build("ml", "ml:1", secrets={})


def test_a_build_that_never_began_has_the_last_words_of_the_command(compose: Compose, command: Recording) -> None:
    _has_tools(command)
    command.answer("build", err="".join(f"line {number}\n" for number in range(12)), code=1)
    with pytest.raises(BuildError) as failure:
        compose.build("ml", "ml:1", secrets={})
    assert failure.value.message.splitlines()[1:] == [f"  line {number}" for number in range(2, 12)]


def test_a_build_without_buildx_is_the_tools_fault(compose: Compose, command: Recording) -> None:
    command.answer("compose version", "Docker Compose version v2.40.1\n")
    command.answer("buildx", err="docker: 'buildx' is not a docker command\n", code=1)
    with pytest.raises(EngineError, match="Docker Compose doesn't answer: docker: 'buildx' is not"):
        compose.build("ml", "ml:1", secrets={})


@pytest.mark.parametrize("version", ["v2.24.0", "v2.40.1-desktop.2", "3.0", "unreleased"])
def test_a_compose_that_is_new_enough_will_do(compose: Compose, command: Recording, version: str) -> None:
    _has_tools(command, version)
    compose.check_version()
    assert command.lines == [f"{COMPOSE} version", "buildx --help"]


@pytest.mark.parametrize("version", ["v2.23.3", "1.29.2"])
def test_an_older_compose_is_refused(compose: Compose, command: Recording, version: str) -> None:
    _has_tools(command, version)
    with pytest.raises(EngineError, match=rf"^Docker Compose version {version} is too old; 2\.24") as failure:
        compose.check_version()
    assert "2.24 or later" in failure.value.remedy


def test_a_docker_without_buildx_is_refused(compose: Compose, command: Recording) -> None:
    command.answer("version", "Docker Compose version v2.40.1\n")
    command.answer("buildx --help", "Usage: docker [OPTIONS]\n")
    with pytest.raises(EngineError, match="The Docker CLI has no Buildx"):
        compose.check_version()


def test_a_docker_without_compose_is_refused(compose: Compose, command: Recording) -> None:
    command.answer("version", err="docker: 'compose' is not a docker command.\n", code=1)
    with pytest.raises(EngineError, match="Docker Compose doesn't answer: docker: 'compose' is not"):
        compose.check_version()


def test_a_machine_without_docker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="Docker Compose doesn't answer"):
        Compose(BUNDLE, str(tmp_path / "docker")).check_version()


def _has_tools(command: Recording, version: str = "v2.40.1") -> None:
    command.answer("version", f"Docker Compose version {version}\n")
    command.answer("buildx --help", "docker buildx\n")
