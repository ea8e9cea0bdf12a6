"""What Engine asks of the engine's API, and what it makes of the answers."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from platformctl.adapters.engine import Engine
from platformctl.adapters.engine_images import follow_pull
from platformctl.errors import EngineError, PreflightError
from platformctl.model.observed import BuiltImage, ImageSize, Instance
from recorded import Asked, Recorded

API = "/v1.51"
NOON, AT_NOON = "2026-01-01T12:00:00.123456789Z", datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
OURS = {"label": ["io.platformctl.platform=acme"]}
LABELS = {
    "io.platformctl.platform": "acme",
    "io.platformctl.service": "worker-etl-1",
    "io.platformctl.role": "worker",
    "io.platformctl.pool": "etl",
    "io.platformctl.release": "abc",
    "io.platformctl.drains": "",
    "com.docker.compose.project.working_dir": "/",
}
STATE: dict[str, Any] = {"Status": "running", "ExitCode": 0, "StartedAt": NOON, "Health": {"Status": "healthy"}}


@pytest.fixture
def engine(server: Recorded, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("DOCKER_HOST", server.address.replace("http", "tcp"))
    server.answer("GET /version", {"ApiVersion": "1.51", "MinAPIVersion": "1.24"})
    found = Engine()
    server.asked.clear()
    return found


def container(name: str, labels: dict[str, str] = LABELS, **state: object) -> dict[str, Any]:
    return {
        "Name": f"/{name}",
        "Config": {"Labels": labels, "Image": "acme/etl:1"},
        "State": STATE | state,
        "RestartCount": 2,
        "Mounts": [],
        "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}},
        "Created": NOON,
    }


def holding(server: Recorded, *containers: dict[str, Any]) -> None:
    """Have the engine hold containers, with an id of their number."""
    server.answer(f"GET {API}/containers/json", [{"Id": str(number)} for number in range(len(containers))])
    for number, found in enumerate(containers):
        server.answer(f"GET {API}/containers/{number}/json", found)
    server.answer(f"GET {API}/volumes", {"Volumes": None})
    server.answer(f"GET {API}/networks", [])
    server.answer(
        f"GET {API}/info", {"MemTotal": 8, "NCPU": 2, "DockerRootDir": "/no-such-folder", "Name": "another-machine"}
    )


def lacking(server: Recorded, image: str) -> None:
    """Have the engine say that it lacks an image, in its own words: docker-py goes by them."""
    server.answer(f"GET {API}/images/{image}/json", {"message": f"No such image: {image}"}, status=404)


def asked(server: Recorded, line: str) -> Asked:
    """Return the last request of a method and path."""
    return [found for found in server.asked if found.line == line][-1]


def test_a_container_is_observed_with_its_labels(server: Recorded, engine: Engine) -> None:
    holding(server, container("acme-worker-etl-1"))
    assert engine.observe("acme", []).instances == (
        Instance(
            id="0",
            name="acme-worker-etl-1",
            service="worker-etl-1",
            role="worker",
            pool="etl",
            release="abc",
            image="acme/etl:1",
            status="running",
            health="healthy",
            exit_code=0,
            restarts=2,
            started=AT_NOON,
            stranded="",
            drains=True,
        ),
    )


def test_a_container_of_few_labels_is_observed_too(server: Recorded, engine: Engine) -> None:
    holding(server, container("acme-x", {}, Status="exited", ExitCode=137, Health=None))
    (found,) = engine.observe("acme", []).instances
    assert (found.service, found.role, found.pool, found.release, found.drains) == ("", "", None, "", False)
    assert (found.status, found.exit_code, found.health) == ("exited", 137, "none")
    assert found.stranded == ""


def test_a_container_that_exited_is_not_called_unhealthy(server: Recorded, engine: Engine) -> None:
    """The engine keeps the last word of its check."""
    holding(server, container("acme-x", {}, Status="exited", ExitCode=3, Health={"Status": "unhealthy"}))
    (found,) = engine.observe("acme", []).instances
    assert (found.status, found.exit_code, found.health) == ("exited", 3, "none")


def test_only_what_is_labelled_as_the_platforms_is_asked_for(server: Recorded, engine: Engine) -> None:
    holding(server, container("acme-b"), container("acme-a"))
    assert [found.name for found in engine.observe("acme", []).instances] == ["acme-a", "acme-b"]
    for kind in ("containers/json", "volumes", "networks"):
        query = asked(server, f"GET {API}/{kind}").query
        assert json.loads(query["filters"]) == OURS
        assert query.get("all", "1") == "1"


def test_a_container_that_goes_meanwhile_is_left_out(server: Recorded, engine: Engine) -> None:
    holding(server, container("acme-a"))
    server.answer(f"GET {API}/containers/json", [{"Id": "0"}, {"Id": "gone"}])
    engine.observe("acme", [])
    assert [found.name for found in engine.observe("acme", []).instances] == ["acme-a"]


def test_volumes_networks_images_memory_and_processors_are_observed(server: Recorded, engine: Engine) -> None:
    holding(server)
    volumes = [
        {"Name": "acme_database", "CreatedAt": "2026-01-01T12:00:00Z", "Labels": {}},
        {"Name": "acme_state", "CreatedAt": NOON, "Labels": {"io.platformctl.kind": "state"}},
    ]
    server.answer(f"GET {API}/volumes", {"Volumes": volumes})
    server.answer(f"GET {API}/networks", [{"Name": "acme_platform"}, {"Name": "acme_data"}])
    server.answer(f"GET {API}/images/postgres:17/json", {"Id": "i"})
    lacking(server, "acme/etl:1")
    engine.observe("acme", [])
    found = engine.observe("acme", ["postgres:17", "acme/etl:1"])
    assert found.volumes == {"acme_database": datetime(2026, 1, 1, 12, tzinfo=UTC)}
    assert found.networks == ("acme_data", "acme_platform")
    assert found.images == {"postgres:17"}
    assert (found.memory, found.processors) == (8, 2)


def test_the_last_lines_are_read(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/containers/one/json", {"Config": {"Tty": True}})
    server.answer(f"GET {API}/containers/one/logs", b"  one\ntw\xff\n\n")
    assert engine.last_lines("one", count=2) == "one\ntw\N{REPLACEMENT CHARACTER}"
    assert asked(server, f"GET {API}/containers/one/logs").query["tail"] == "2"
    engine.last_lines("one")
    assert asked(server, f"GET {API}/containers/one/logs").query["tail"] == "15"


def test_what_a_health_check_said_last_is_read(server: Recorded, engine: Engine) -> None:
    checks = [{"Output": "oldest"}, {"Output": "old"}, {"Output": " connection refused\n"}]
    for health in ({"Health": {"Log": checks}}, {"Health": {"Log": None}}, {}):
        server.answer(f"GET {API}/containers/one/json", {"State": health})
    assert [engine.health_output("one") for _ in range(3)] == ["connection refused", "", ""]


def told(found: dict[str, Any], **state: object) -> dict[str, Any]:
    """Return a container as it is once it was told to stop."""
    return found | {"HostConfig": {"RestartPolicy": {"Name": "no"}}, "State": found["State"] | state}


def test_a_container_is_stopped_with_its_grace_and_removed(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/containers/one/json", container("acme-worker-etl-1"))
    server.answer(f"POST {API}/containers/one/update", {})
    server.answer(f"POST {API}/containers/one/stop", "", status=204)
    server.answer(f"DELETE {API}/containers/one", "", status=204)
    engine.remove_container("one", grace=105)
    _, update, stop, remove = server.asked
    assert (update.line, update.body["RestartPolicy"]["Name"]) == (f"POST {API}/containers/one/update", "no")
    assert (stop.line, stop.query["t"]) == (f"POST {API}/containers/one/stop", "105")
    assert (remove.line, remove.query["force"]) == (f"DELETE {API}/containers/one", "True")


def test_a_container_that_was_told_to_stop_is_told_again_only_when_its_grace_is_over(
    server: Recorded, engine: Engine
) -> None:
    """A worker takes a second signal for a wish to hurry."""
    line = f"GET {API}/containers/one/json"
    for is_running in (True, True, False):
        server.answer(line, told(container("acme-worker-etl-1"), Running=is_running))
    server.answer(f"POST {API}/containers/one/stop", "", status=304)
    server.answer(f"DELETE {API}/containers/one", "", status=204)
    engine.remove_container("one", grace=105)
    assert server.lines == [line] * 3 + [f"POST {API}/containers/one/stop", f"DELETE {API}/containers/one"]


@pytest.mark.parametrize(
    ("role", "status", "seen"),
    [("worker", "running", "stopping"), ("server", "exited", "exited"), ("migrate", "exited", "exited")],
)
def test_what_was_told_to_stop_is_seen_as_that(
    server: Recorded, engine: Engine, role: str, status: str, seen: str
) -> None:
    holding(server, told(container("acme-x", {"io.platformctl.role": role}), Status=status))
    (instance,) = engine.observe("acme", []).instances
    assert (instance.status, instance.is_alive) == (seen, seen == "stopping")
    assert instance.stranded == ("" if role == "migrate" else "an interrupted command was stopping it")


def test_what_is_gone_says_nothing_and_needs_no_removing(server: Recorded, engine: Engine) -> None:
    engine.remove_container("gone", grace=5)
    engine.remove_network("gone")
    engine.remove_volume("gone")
    engine.remove_state_volume("gone")
    assert (engine.last_lines("gone"), engine.health_output("gone")) == ("", "")
    assert server.lines[1:4] == [
        f"DELETE {API}/networks/gone",
        f"DELETE {API}/volumes/gone",
        f"DELETE {API}/volumes/gone",
    ]


def test_an_image_is_pulled_by_name_and_tag(server: Recorded, engine: Engine) -> None:
    server.answer(f"POST {API}/images/create", {"status": "Pulling"})
    engine.pull("hub/postgres:17", lambda _: None)
    assert server.asked[-1].query == {"fromImage": "hub/postgres", "tag": "17"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"message": "manifest unknown"}),
        (200, {"error": "manifest unknown", "errorDetail": {}}),
    ],
)
def test_a_pull_that_fails_at_once_or_midway_is_named(
    server: Recorded, engine: Engine, status: int, body: object
) -> None:
    server.answer(f"POST {API}/images/create", body, status=status)
    with pytest.raises(PreflightError, match="The image postgres:0 can't be pulled: manifest unknown") as failure:
        engine.pull("postgres:0", lambda _: None)
    assert "`docker pull postgres:0` must work" in failure.value.remedy


def test_a_pull_says_how_many_layers_are_there() -> None:
    events = [
        {"status": "Pulling from library/postgres", "id": "17"},
        {"status": "Already exists", "id": "a"},
        {"status": "Downloading", "id": "b"},
        {"status": "Pull complete", "id": "b"},
        {"status": "Status: Downloaded newer image"},
    ]
    said: list[str] = []
    follow_pull("postgres:17", events, said.append)
    assert said == ["1 of 1 layers", "1 of 2 layers", "2 of 2 layers"]


NEW_YEAR = datetime(2026, 1, 1, 12, tzinfo=UTC)


def image(id_: str, tags: list[str] | None, platform: str | None = None) -> dict[str, Any]:
    labels = {"io.platformctl.platform": platform} if platform else None
    return {"Id": id_, "RepoTags": tags, "Labels": labels, "Created": 1767268800, "Size": 900, "SharedSize": 700}


def test_built_images_are_the_platforms_own_with_whatever_runs_from_them(server: Recorded, engine: Engine) -> None:
    labelled = [image("sha256:a", ["hub/etl:1"], "acme"), image("sha256:b", ["<none>:<none>"], "acme")]
    named = [
        image("sha256:c", ["acme/etl:0123456789ab"]),
        image("sha256:d", ["acme/etl:latest"]),
        image("sha256:e", ["acme/etl:ba9876543210"], "another"),
        image("sha256:a", ["hub/etl:1"], "acme"),
    ]
    server.answer(f"GET {API}/images/json", labelled)
    server.answer(f"GET {API}/images/json", named)
    held = [
        {"Id": "1", "ImageID": "sha256:a", "Names": ["/other-worker"]},
        {"Id": "2", "ImageID": "x", "Names": ["/y"]},
    ]
    server.answer(f"GET {API}/containers/json", held)

    found = engine.built_images("acme")

    assert found == (
        BuiltImage("hub/etl:1", NEW_YEAR, ("other-worker",)),
        BuiltImage("sha256:b", NEW_YEAR),
        BuiltImage("acme/etl:0123456789ab", NEW_YEAR),
    )
    assert asked(server, f"GET {API}/containers/json").query["all"] == "1"
    wanted = ['{"label": ["io.platformctl.platform=acme"]}', '{"reference": ["acme/*"]}']
    assert [asked.query["filters"] for asked in server.asked if asked.line == f"GET {API}/images/json"] == wanted


def test_images_are_measured_by_reference_and_id_with_what_they_alone_hold(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/images/json", [image("sha256:a", ["acme/etl:1"]), image("sha256:b", None)])
    size = ImageSize(900, 200)
    assert engine.image_sizes(["acme/etl:1", "sha256:b", "gone:1"]) == {"acme/etl:1": size, "sha256:b": size}
    assert asked(server, f"GET {API}/images/json").query["shared-size"] == "1"


def test_an_image_is_removed_and_one_that_is_gone_is_fine(server: Recorded, engine: Engine) -> None:
    server.answer(f"DELETE {API}/images/acme/etl:1", [])
    engine.remove_image("acme/etl:1")
    engine.remove_image("gone:1")
    assert server.lines == [f"DELETE {API}/images/acme/etl:1", f"DELETE {API}/images/gone:1"]


def test_the_digest_of_a_tag_is_the_registrys_and_not_what_is_here(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/distribution/postgres:17/json", {"Descriptor": {"digest": "sha256:ab"}})
    assert engine.digest_of("postgres:17") == "sha256:ab"
    assert server.lines == [f"GET {API}/distribution/postgres:17/json"]
    server.answer(f"GET {API}/distribution/postgres:0/json", {"message": "manifest unknown"}, status=404)
    with pytest.raises(PreflightError, match="The image postgres:0 can't be pulled: manifest unknown"):
        engine.digest_of("postgres:0")


def test_an_image_that_is_here_needs_no_registry(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/images/postgres:17/json", {"Id": "i"})
    engine.check_image("postgres:17")
    assert server.lines == [f"GET {API}/images/postgres:17/json"]


def test_an_image_that_is_nowhere_is_named(server: Recorded, engine: Engine) -> None:
    lacking(server, "postgres:0")
    server.answer(f"GET {API}/distribution/postgres:0/json", {"message": "manifest unknown"}, status=404)
    with pytest.raises(PreflightError, match="The image postgres:0 can't be pulled: manifest unknown"):
        engine.check_image("postgres:0")


def test_an_image_of_a_registry_will_do(server: Recorded, engine: Engine) -> None:
    lacking(server, "postgres:17")
    server.answer(f"GET {API}/distribution/postgres:17/json", {"Descriptor": {}})
    engine.check_image("postgres:17")


def test_who_publishes_a_port_is_named(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/containers/json", [{"Names": ["/other-server", "/alias"]}])
    server.answer(f"GET {API}/containers/json", [])
    assert engine.port_holder(4200) == "other-server"
    assert engine.port_holder(4200) is None
    assert {found.query["filters"] for found in server.asked} == {'{"publish": ["4200/tcp"]}'}


def test_the_folder_of_a_platform_is_what_compose_noted(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/containers/json", [{"Labels": LABELS}])
    server.answer(f"GET {API}/containers/json", [])
    assert engine.home_of("acme") == "/"
    assert engine.home_of("acme") is None
    assert json.loads(server.asked[0].query["filters"]) == OURS
    assert server.asked[0].query["all"] == "1"


def test_free_bytes_are_known_of_a_folder_of_this_machine(server: Recorded, engine: Engine, tmp_path: Path) -> None:
    server.answer(f"GET {API}/info", {"DockerRootDir": str(tmp_path), "Name": "this-machine"})
    free = engine.free_bytes()
    assert free is not None
    assert free > 2**20


def test_free_bytes_of_another_machine_are_not_known(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/info", {"DockerRootDir": "/no-such-folder", "Name": "another-machine"})
    assert engine.free_bytes() is None


def test_a_state_volume_is_created_with_its_labels(server: Recorded, engine: Engine) -> None:
    wanted = {"io.platformctl.platform": "acme", "io.platformctl.kind": "state", "who": "me"}
    server.answer(f"POST {API}/volumes/create", {"Labels": wanted | {"who": "first"}})
    assert engine.create_state("acme", "acme_lock", {"who": "me"})["who"] == "first"
    assert server.asked[-1].body == {"Name": "acme_lock", "Labels": wanted}


@pytest.mark.parametrize("labels", [None, {}, {"io.platformctl.kind": "data"}])
def test_a_volume_of_the_name_that_holds_data_is_refused(server: Recorded, engine: Engine, labels: object) -> None:
    server.answer(f"POST {API}/volumes/create", {"Labels": labels})
    with pytest.raises(EngineError, match="'acme_lock' exists already, and platformctl didn't create it") as failure:
        engine.create_state("acme", "acme_lock", {})
    assert "Choose another platform.name" in failure.value.remedy


def test_state_volumes_are_those_of_the_platform(server: Recorded, engine: Engine) -> None:
    server.answer(f"GET {API}/volumes", {"Volumes": [{"Name": "acme_lock", "Labels": {"who": "me"}}]})
    server.answer(f"GET {API}/volumes", {"Volumes": None})
    assert engine.state_volumes("acme") == {"acme_lock": {"who": "me"}}
    assert engine.state_volumes("acme") == {}
    chosen = json.loads(server.asked[0].query["filters"])
    assert chosen == {"label": [*OURS["label"], "io.platformctl.kind=state"]}


ASKS: list[Callable[[Engine], object]] = [
    lambda engine: engine.observe("acme", []),
    lambda engine: engine.last_lines("one"),
    lambda engine: engine.health_output("one"),
    lambda engine: engine.remove_container("one", grace=1),
    lambda engine: engine.remove_network("one"),
    lambda engine: engine.remove_volume("one"),
    lambda engine: engine.create_state("acme", "one", {}),
    lambda engine: engine.state_volumes("acme"),
    lambda engine: engine.port_holder(1),
    lambda engine: engine.home_of("acme"),
    lambda engine: engine.free_bytes(),
]


@pytest.mark.parametrize("ask", ASKS)
def test_a_refusal_carries_the_engines_words(server: Recorded, engine: Engine, ask: Callable[[Engine], object]) -> None:
    gets = ("containers/json", "containers/one/json", "containers/one/logs", "volumes", "info")
    lines = [f"GET {API}/{path}" for path in gets]
    lines += [f"POST {API}/containers/one/update", f"POST {API}/volumes/create"]
    lines += [f"DELETE {API}/networks/one", f"DELETE {API}/volumes/one"]
    for line in lines:
        server.answer(line, {"message": "volume is in use"}, status=409)
    with pytest.raises(EngineError, match="The Docker engine refused: volume is in use"):
        ask(engine)


@pytest.mark.parametrize(
    "ask", [*ASKS, lambda engine: engine.pull("a:1", print), lambda engine: engine.check_image("a:1")]
)
def test_an_engine_that_is_gone_is_said_to_be(
    engine: Engine, ask: Callable[[Engine], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine._api, "base_url", "http://127.0.0.1:9")  # it went after it had answered
    with pytest.raises(EngineError, match=r"No Docker engine answers: .*Connection refused") as failure:
        ask(engine)
    assert "Start Docker" in failure.value.remedy


def test_no_engine_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(EngineError, match=r"No Docker engine answers: .*Connection refused"):
        Engine()


@pytest.mark.parametrize(("spoken", "is_enough"), [("1.43", False), ("1.44", True), ("1.51", True)])
def test_an_engine_is_new_enough_or_refused(
    server: Recorded, monkeypatch: pytest.MonkeyPatch, spoken: str, *, is_enough: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", server.address.replace("http", "tcp"))
    server.answer("GET /version", {"ApiVersion": spoken, "MinAPIVersion": "1.24"})
    if is_enough:
        Engine()
        return
    with pytest.raises(EngineError, match=r"its API is 1\.43, and 1\.44 is needed") as failure:
        Engine()
    assert "Docker Engine 25 or later" in failure.value.remedy


def test_without_docker_host_the_context_of_the_cli_says_which_engine(
    server: Recorded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text('{"currentContext": "mine"}', encoding="utf-8")
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(b"mine").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    endpoint = {"Host": server.address.replace("http", "tcp")}
    meta.write_text(json.dumps({"Name": "mine", "Metadata": {}, "Endpoints": {"docker": endpoint}}), encoding="utf-8")
    server.answer("GET /version", {"ApiVersion": "1.51", "MinAPIVersion": "1.24"})

    Engine()

    assert server.lines == ["GET /version"]
