"""What PrefectApi asks of Prefect's API, and what it makes of the answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from platformctl.adapters.prefect.api import PrefectApi
from platformctl.adapters.prefect.ports import LogLine, RunRequest
from platformctl.errors import ServerError, UsageError
from platformctl.model.job_templates import own_template
from platformctl.model.observed import FlowRun, Worker, WorkPool
from prefect_warm_worker.contract import LostRunOutcome, settled_state
from recorded import Recorded

NOON = "2026-01-01T12:00:00+00:00"
AT_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POOL: dict[str, Any] = {
    "name": "etl",
    "type": "warm",
    "concurrency_limit": 5,
    "description": "nightly loads",
    "is_paused": True,
    "base_job_template": own_template("warm"),
}
STATE, OTHER = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
RUN: dict[str, Any] = {
    "id": "r1",
    "name": "brave-otter",
    "created": "2026-01-01T11:00:00+00:00",
    "state_type": "RUNNING",
    "state_name": "Running",
    "state": {"timestamp": NOON, "message": "under way"},
    "state_id": STATE,
    "empirical_policy": {},
    "work_pool_name": "etl",
    "labels": {"prefect.worker.name": "acme-worker-etl-1"},
}
OTTER = FlowRun("r1", "brave-otter", "RUNNING", "Running", AT_NOON, "etl", "acme-worker-etl-1", STATE)


@pytest.fixture
def api(server: Recorded) -> PrefectApi:
    return PrefectApi(f"{server.address}/api", SecretStr("admin:s3:cret"))


def test_every_request_carries_user_and_password(server: Recorded, api: PrefectApi) -> None:
    server.answer("GET /api/work_pools/etl", POOL)
    api.pool("etl")
    assert server.asked[0].headers["authorization"] == "Basic YWRtaW46czM6Y3JldA=="  # admin and s3:cret


@pytest.mark.parametrize(("status", "is_ready"), [(200, True), (503, False), (401, False)])
def test_a_server_is_ready_if_it_says_so_and_is_asked_once(
    server: Recorded, api: PrefectApi, status: int, is_ready: bool
) -> None:
    server.answer("GET /api/ready", "", status=status)
    assert api.is_ready() is is_ready
    assert server.lines == ["GET /api/ready"]


def test_a_pool_is_read(server: Recorded, api: PrefectApi) -> None:
    server.answer("GET /api/work_pools/etl", POOL)
    assert api.pool("etl") == WorkPool("etl", "warm", 5, "nightly loads", is_paused=True)


def test_a_pool_without_description_and_template_lacks_nothing_yet(server: Recorded, api: PrefectApi) -> None:
    bare: dict[str, Any] = {"description": None, "base_job_template": {}, "concurrency_limit": None, "is_paused": False}
    server.answer("GET /api/work_pools/etl", POOL | bare)
    assert api.pool("etl") == WorkPool("etl", "warm", None, "", is_paused=False)


def test_a_pool_of_another_template_lacks_what_that_does_not_know(server: Recorded, api: PrefectApi) -> None:
    template: dict[str, Any] = {"variables": {"properties": {"env": {}, "memory_limit": {}}}}
    server.answer("GET /api/work_pools/etl", POOL | {"base_job_template": template})
    pool = api.pool("etl")
    assert pool
    assert "max_run_seconds" in pool.missing_variables
    assert not {"env", "memory_limit"} & {*pool.missing_variables}


def test_what_is_not_there_is_none(server: Recorded, api: PrefectApi) -> None:
    assert api.pool("etl") is None
    assert api.deployment("hello/nightly") is None
    assert server.lines == ["GET /api/work_pools/etl", "GET /api/deployments/name/hello/nightly"]


def test_workers_are_asked_of_their_pool(server: Recorded, api: PrefectApi) -> None:
    rows = [
        {"name": "one", "status": "ONLINE", "last_heartbeat_time": NOON},
        {"name": "two", "status": "OFFLINE", "last_heartbeat_time": NOON},
    ]
    server.answer("POST /api/work_pools/etl/workers/filter", rows)
    assert api.workers("etl") == [
        Worker("one", "etl", is_online=True, last_heartbeat=AT_NOON),
        Worker("two", "etl", is_online=False, last_heartbeat=AT_NOON),
    ]


def test_runs_are_asked_by_state_and_pool(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/flow_runs/filter", [RUN])
    assert api.runs(("RUNNING", "PENDING"), "etl") == [OTTER]
    assert api.runs(("RUNNING",)) == [OTTER]
    page = {"offset": 0, "limit": 200}
    both, all_pools = server.bodies("POST /api/flow_runs/filter")
    chosen = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}
    assert both == {**chosen, "work_pools": {"name": {"any_": ["etl"]}}, **page}
    assert all_pools == {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}, **page}


def test_pages_are_asked_for_until_one_is_not_full(server: Recorded, api: PrefectApi) -> None:
    for count in (200, 200, 3):
        server.answer("POST /api/flow_runs/filter", [RUN] * count)
    assert len(api.runs(("RUNNING",), "etl")) == 403
    asked = server.bodies("POST /api/flow_runs/filter")
    assert [(body["offset"], body["limit"]) for body in asked] == [(0, 200), (200, 200), (400, 200)]
    assert {str(body["work_pools"]) for body in asked} == {"{'name': {'any_': ['etl']}}"}


def test_a_full_last_page_is_followed_by_an_empty_one(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/flow_runs/filter", [RUN] * 200)
    server.answer("POST /api/flow_runs/filter", [])
    assert len(api.runs(("RUNNING",))) == 200


def test_a_run_that_no_worker_took_has_none(server: Recorded, api: PrefectApi) -> None:
    server.answer("GET /api/flow_runs/r1", RUN | {"labels": None, "work_pool_name": None})
    assert api.run("r1") == FlowRun("r1", "brave-otter", "RUNNING", "Running", AT_NOON, None, None, STATE)


def test_a_state_says_why(server: Recorded, api: PrefectApi) -> None:
    server.answer("GET /api/flow_runs/r1", RUN)
    server.answer("GET /api/flow_runs/r1", RUN | {"state": None})
    assert api.run_message("r1") == "under way"
    assert api.run_message("r1") == ""


LINE: dict[str, Any] = {
    "id": "l1",
    "timestamp": NOON,
    "level": 30,
    "message": "careful",
    "name": "prefect.flow_runs",
    "flow_run_id": "r1",
    "task_run_id": None,
}


def test_a_log_is_asked_for_oldest_first(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/logs/filter", [LINE])
    assert api.logs({"r2", "r1"}) == [LogLine("l1", AT_NOON, 30, "careful", "r1")]
    (asked,) = server.bodies("POST /api/logs/filter")
    chosen = {"flow_run_id": {"any_": ["r1", "r2"]}}
    assert asked == {"logs": chosen, "sort": "TIMESTAMP_ASC", "offset": 0, "limit": 200}


@pytest.mark.parametrize(
    ("name", "message", "ends_run"),
    [
        ("prefect.flow_runs", "Finished in state Completed()", True),
        ("prefect.flow_runs", "Beginning flow run", False),
        ("prefect.task_runs", "Finished in state Completed()", False),
    ],
)
def test_a_log_ends_with_the_last_word_of_the_run(
    server: Recorded, api: PrefectApi, name: str, message: str, ends_run: bool
) -> None:
    server.answer("POST /api/logs/filter", [LINE | {"name": name, "message": message}])
    assert [line.ends_run for line in api.logs(["r1"])] == [ends_run]


def test_runs_below_and_names_of_tasks_are_asked_by_ids(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/flow_runs/filter", [RUN])
    server.answer("POST /api/task_runs/filter", [{"id": "t1", "name": "extract-0"}])
    assert api.child_runs({"r0"}) == [OTTER]
    assert api.task_names({"t2", "t1"}) == {"t1": "extract-0"}
    (runs,), (tasks,) = server.bodies("POST /api/flow_runs/filter"), server.bodies("POST /api/task_runs/filter")
    page = {"offset": 0, "limit": 200}
    assert runs == {"flow_runs": {"parent_flow_run_id": {"any_": ["r0"]}}, **page}
    assert tasks == {"task_runs": {"id": {"any_": ["t1", "t2"]}}, **page}


def test_deployments_are_named_with_their_flows(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/flows/filter", [{"id": "f1", "name": "hello"}])
    server.answer("POST /api/deployments/filter", [{"flow_id": "f1", "name": "b"}, {"flow_id": "f0", "name": "a"}])
    assert api.deployment_names() == ["?/a", "hello/b"]


def test_a_deployment_is_returned_as_it_is(server: Recorded, api: PrefectApi) -> None:
    server.answer("GET /api/deployments/name/hello/nightly", {"id": "d1"})
    assert api.deployment("hello/nightly") == {"id": "d1"}


def test_a_run_is_created_with_its_parameters(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/deployments/d1/create_flow_run", RUN | {"state": None})
    assert api.create_run("d1", RunRequest({"source": "lake"})).id == "r1"
    (asked,) = server.bodies("POST /api/deployments/d1/create_flow_run")
    assert asked == {"parameters": {"source": "lake"}, "state": {"type": "SCHEDULED"}, "tags": []}


def test_a_run_is_forced_into_cancelled(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/flow_runs/r1/set_state", {"status": "ACCEPT"})
    api.cancel_run("r1", "its pool goes")
    (asked,) = server.bodies("POST /api/flow_runs/r1/set_state")
    assert asked == {"state": {"type": "CANCELLED", "name": "Cancelled", "message": "its pool goes"}, "force": True}


@pytest.mark.parametrize("outcome", LostRunOutcome)
def test_a_run_is_settled_as_it_was_judged_and_nothing_is_forced(
    server: Recorded, api: PrefectApi, outcome: LostRunOutcome
) -> None:
    server.answer("GET /api/flow_runs/r1", RUN)
    server.answer("POST /api/flow_runs/r1/set_state", {"status": "ACCEPT"})
    api.settle_run("r1", STATE, outcome, "gone")
    (asked,) = server.bodies("POST /api/flow_runs/r1/set_state")
    wanted = settled_state(outcome, "gone", STATE, datetime.now(UTC))
    for state in (asked["state"], wanted):
        when = state["state_details"].pop("scheduled_time", None)
        assert (when is None) == (outcome is not LostRunOutcome.REQUEUE)
    assert asked == {"state": wanted, "force": False}
    assert not [line for line in server.lines if line.startswith("PATCH")]


def test_a_run_in_another_state_than_was_judged_is_left_alone(server: Recorded, api: PrefectApi) -> None:
    server.answer("GET /api/flow_runs/r1", RUN)
    api.settle_run("r1", OTHER, LostRunOutcome.CRASH, "gone")
    assert server.lines == ["GET /api/flow_runs/r1"]


@pytest.mark.parametrize(("state_type", "is_set"), [("RUNNING", True), ("SCHEDULED", False)])
def test_a_run_that_was_retried_in_its_process_is_offered_to_workers(
    server: Recorded, api: PrefectApi, state_type: str, is_set: bool
) -> None:
    policy = {"retries": 3, "retry_type": "in_process"}
    server.answer("GET /api/flow_runs/r1", RUN | {"state_type": state_type, "empirical_policy": policy})
    server.answer("PATCH /api/flow_runs/r1", "", status=204)
    server.answer("POST /api/flow_runs/r1/set_state", {"status": "ACCEPT"})
    api.settle_run("r1", STATE, LostRunOutcome.REQUEUE, "gone")
    (changed,) = server.bodies("PATCH /api/flow_runs/r1")
    assert changed == {"empirical_policy": {"retries": 3, "retry_type": None}}
    assert ("POST /api/flow_runs/r1/set_state" in server.lines) == is_set


def test_what_workers_have_taken_is_told_from_what_awaits_a_retry_elsewhere(server: Recorded, api: PrefectApi) -> None:
    awaiting = RUN | {"state_type": "SCHEDULED", "state_name": "AwaitingRetry"}
    here, elsewhere = ({"retry_type": "in_process"}, {"retry_type": "reschedule"})
    found = [
        RUN,
        *(awaiting | {"id": id_, "empirical_policy": each} for id_, each in (("r2", here), ("r3", elsewhere))),
    ]
    server.answer("POST /api/flow_runs/filter", found)
    assert [run.id for run in api.taken_runs()] == ["r1", "r2"]


def test_a_pause_changes_nothing_else(server: Recorded, api: PrefectApi) -> None:
    server.answer("PATCH /api/work_pools/etl", "", status=204)
    api.set_paused("etl", is_paused=True)
    api.set_paused("etl", is_paused=False)
    assert server.bodies("PATCH /api/work_pools/etl") == [{"is_paused": True}, {"is_paused": False}]


def test_what_is_deleted_may_be_gone(server: Recorded, api: PrefectApi) -> None:
    api.delete_pool("etl")
    api.delete_worker("etl", "one")
    api.delete_automation("a1")
    assert server.lines == [
        "DELETE /api/work_pools/etl",
        "DELETE /api/work_pools/etl/workers/one",
        "DELETE /api/automations/a1",
    ]


def test_everything_is_observed(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/work_pools/filter", [POOL, POOL | {"name": "ml"}])
    for pool in ("etl", "ml"):
        row = {"name": f"worker-{pool}", "status": "ONLINE", "last_heartbeat_time": NOON}
        server.answer(f"POST /api/work_pools/{pool}/workers/filter", [row])
    server.answer("GET /api/admin/version", '"3.8.8"')
    server.answer("POST /api/flow_runs/filter", [RUN])
    server.answer("POST /api/automations/filter", [{"id": "a1"}])
    records = {"platformctl_images": {"etl": "d1"}, "platformctl_deployments": {"flows/a.py:a/one": "d2"}}
    server.answer("POST /api/variables/filter", [{"name": name, "value": value} for name, value in records.items()])
    server.answer("POST /api/deployments/filter", [DEPLOYMENT])
    server.answer("POST /api/flows/filter", [{"id": "f1", "name": "Hello"}])
    server.answer("GET /api/variables/name/team", {"value": {"lead": "ann"}})
    hosts = {"data": {"value": {"hosts": ["a", "b"]}}}
    server.answer("GET /api/block_types/slug/json/block_documents/name/db", hosts)

    database = "prefect.blocks.json.db.hosts[1]"
    found = api.observe(["prefect.variables.team", database, "prefect.variables.none", f"{database}.x"])
    assert found.version == "3.8.8"
    assert set(found.pools) == {"etl", "ml"}
    assert [(worker.name, worker.pool) for worker in found.workers] == [("worker-etl", "etl"), ("worker-ml", "ml")]
    assert found.runs == (OTTER,)
    assert (found.described, found.former) == ({"etl": "d1"}, {"flows/a.py:a/one": "d2"})
    assert found.references == {"prefect.variables.team": {"lead": "ann"}, database: "b"}
    (deployment,) = found.deployments
    assert (deployment.id, deployment.whole_name, deployment.key) == ("d1", "Hello/one", "flows/a.py:a/one")
    assert (deployment.mark, deployment.schema) == ({"declared": "x"}, {"type": "object"})
    assert (deployment.fields["tags"], deployment.fields["concurrency_limit"]) == (["a"], 3)
    assert [schedule["id"] for schedule in deployment.schedules] == ["s1"]
    assert found.zombie_automations == ("a1",)
    (runs,) = server.bodies("POST /api/flow_runs/filter")
    assert runs["flow_runs"]["state"] == {
        "operator": "or_",
        "type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]},
        "name": {"any_": ["AwaitingRetry"]},
    }
    (automations,) = server.bodies("POST /api/automations/filter")
    name = "platformctl: crash flow runs that stopped sending heartbeats"
    assert automations == {"automations": {"name": {"any_": [name]}}}


DEPLOYMENT = {
    "id": "d1",
    "name": "one",
    "flow_id": "f1",
    "entrypoint": "flows/a.py:a",
    "tags": ["a"],
    "global_concurrency_limit": {"limit": 3},
    "parameter_openapi_schema": {"type": "object", "x-platformctl": {"declared": "x"}},
    "schedules": [{"id": "s1", "schedule": {"cron": "0 6 * * *"}, "active": True, "parameters": {}}],
}


def test_an_automation_that_is_yet_to_be_made_is_about_its_deployment(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/automations/", {"id": "a1"}, status=201)
    unknown = "00000000-0000-0000-0000-000000000000"
    api.definitions.set_automations("d1", [{"name": "n", "actions": [{"deployment_id": unknown}]}])
    assert server.lines == ["DELETE /api/automations/owned-by/prefect.deployment.d1", "POST /api/automations/"]
    (made,) = server.bodies("POST /api/automations/")
    assert made == {"name": "n", "actions": [{"deployment_id": "d1"}], "owner_resource": "prefect.deployment.d1"}


def test_a_record_is_replaced_or_made(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/variables/", {}, status=201)
    api.definitions.record_images({"etl": "d1"})
    server.answer("PATCH /api/variables/name/platformctl_images", "", status=204)
    api.definitions.record_images({"etl": "d2"})
    (made,) = server.bodies("POST /api/variables/")
    assert made == {"name": "platformctl_images", "value": {"etl": "d1"}}
    assert server.bodies("PATCH /api/variables/name/platformctl_images")[1]["value"] == {"etl": "d2"}


def test_no_deployment_and_no_automation_is_observed_as_that(server: Recorded, api: PrefectApi) -> None:
    server.answer("POST /api/work_pools/filter", [])
    server.answer("GET /api/admin/version", '"3.8.8"')
    server.answer("POST /api/flow_runs/filter", [])
    server.answer("POST /api/automations/filter", [])
    server.answer("POST /api/variables/filter", [])
    server.answer("POST /api/deployments/filter", [])
    found = api.observe()
    assert (found.deployments, found.zombie_automations) == ((), ())
    assert (found.described, found.former) == ({}, None)
    assert "POST /api/flows/filter" not in server.lines


def test_a_busy_database_is_asked_again(server: Recorded, api: PrefectApi) -> None:
    for status in (503, 503, 200):
        server.answer("POST /api/flow_runs/r1/set_state", {}, status=status)
    api.cancel_run("r1", "")
    assert server.lines == ["POST /api/flow_runs/r1/set_state"] * 3


ASKS: list[Callable[[PrefectApi], object]] = [
    lambda api: api.pool("etl"),
    lambda api: api.observe(),
    lambda api: api.run("r1"),
    lambda api: api.delete_pool("etl"),
    lambda api: api.set_paused("etl", is_paused=True),
]


@pytest.mark.parametrize("ask", ASKS)
def test_a_refused_password_names_the_port_as_a_cause(
    server: Recorded, api: PrefectApi, ask: Callable[[PrefectApi], object]
) -> None:
    lines = ("GET /api/work_pools/etl", "DELETE /api/work_pools/etl", "PATCH /api/work_pools/etl")
    for line in (*lines, "POST /api/work_pools/filter", "GET /api/flow_runs/r1"):
        server.answer(line, {"exception_message": "Unauthorized"}, status=401)
    with pytest.raises(ServerError, match=r"refuses the password of this platform \(401\)") as failure:
        ask(api)
    assert "set another server.port" in failure.value.remedy
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, {"exception_message": "Invalid"}, r'answered 403: \{"exception_message": "Invalid"\}'),
        (500, "Internal Server Error", "answered 500: Internal Server Error"),
        (404, {"detail": "Deployment not found"}, "answered 404: Deployment not found"),
    ],
)
def test_a_refusal_carries_the_servers_words(
    server: Recorded, api: PrefectApi, status: int, body: object, said: str
) -> None:
    server.answer("POST /api/deployments/d1/create_flow_run", body, status=status)
    with pytest.raises(ServerError, match=f"Prefect's server at {server.address}/api {said}") as failure:
        api.create_run("d1", RunRequest())
    assert "`platformctl logs server` shows" in failure.value.remedy


@pytest.mark.parametrize("status", [400, 409, 422])
def test_parameters_that_prefect_refuses_are_the_users(server: Recorded, api: PrefectApi, status: int) -> None:
    server.answer("POST /api/deployments/d1/create_flow_run", {"detail": "'x' is not of type 'integer'"}, status=status)
    with pytest.raises(UsageError, match="Prefect refuses the parameters: 'x' is not of type 'integer'") as failure:
        api.create_run("d1", RunRequest({"n": "x"}))
    assert failure.value.exit_code == 2
    assert "No flow run was started" in failure.value.remedy


def test_a_name_is_no_part_of_an_address(server: Recorded, api: PrefectApi) -> None:
    server.answer("GET /api/work_pools/a%2Fb%3Fc", {}, status=404)
    assert api.pool("a/b?c") is None


def test_a_proxy_is_not_asked(server: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.answer("GET /api/ready", "")
    assert PrefectApi(f"{server.address}/api", SecretStr("admin:s3cret")).is_ready()


def test_a_server_that_does_not_answer_is_told_how_to_look_at() -> None:
    with pytest.raises(ServerError, match=r"Prefect's server at http://127\.0\.0\.1:9 doesn't answer") as failure:
        PrefectApi("http://127.0.0.1:9", SecretStr("admin:s3cret")).pool("etl")
    assert "`platformctl status` shows what runs" in failure.value.remedy


def test_what_only_reads_is_asked_for_again_where_no_answer_comes_in_time(
    server: Recorded, api: PrefectApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, late = requests.Session.request, list[str]()

    def time_out_once(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:  # noqa: ANN401  # as it has them
        if url not in late:
            late.append(url)
            raise requests.ReadTimeout("Read timed out.")
        return request(session, method, url, **more)

    monkeypatch.setattr(requests.Session, "request", time_out_once)
    server.answer("GET /api/flow_runs/r1", RUN)
    server.answer("POST /api/flow_runs/filter", [RUN])

    assert api.run("r1") == OTTER
    assert api.runs(["RUNNING"]) == [OTTER]
    with pytest.raises(ServerError, match="doesn't answer: Read timed out"):
        api.create_run("d1", RunRequest())
    assert [url.rpartition("/api")[2] for url in late] == [
        "/flow_runs/r1",
        "/flow_runs/filter",
        "/deployments/d1/create_flow_run",
    ]
