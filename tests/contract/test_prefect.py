"""What the ports to Prefect promise, of the Prefect in memory and of a server alike.

All tests of a kind share one Prefect, so each has pools and deployments of its own names.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from contract.conftest import AUTH, REAL
from contract.prefect_subjects import Subject, ids
from platformctl.adapters.prefect.api import PrefectApi
from platformctl.adapters.prefect.client import PrefectClient
from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.adapters.prefect.ports import Api, Client, RunRequest
from platformctl.errors import ServerError
from platformctl.model.observed import WorkPool
from prefect_warm_worker.contract import LostRunOutcome

_NOWHERE = "http://127.0.0.1:9/api"
_MISSING = "00000000-0000-4000-8000-000000000000"
_ALL = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "CANCELLED", "CRASHED", "COMPLETED")


def warm(name: str, *, limit: int | None = None, description: str = "", is_paused: bool = False) -> WorkPool:
    return WorkPool(name, "warm", limit, description, is_paused=is_paused)


@pytest.fixture
def pool(prefect: Subject, request: pytest.FixtureRequest) -> str:
    """Return the name of a pool of this test's own."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")
    prefect.client.create_pool(warm(name, limit=5, description="as made"))
    return str(name)


def test_a_server_that_runs_is_ready(prefect: Subject) -> None:
    assert prefect.api.is_ready()


def test_a_pool_is_created_as_wanted(prefect: Subject) -> None:
    wanted = warm("created", limit=3, description="for etl", is_paused=True)

    prefect.client.create_pool(wanted)

    assert prefect.api.pool("created") == wanted
    assert prefect.api.observe().pools["created"] == wanted


def test_a_pool_without_limit_and_description_has_none(prefect: Subject) -> None:
    prefect.client.create_pool(warm("bare"))

    assert prefect.api.pool("bare") == WorkPool("bare", "warm", None, "", is_paused=False)


def test_a_pool_of_another_type_has_that_types_template(prefect: Subject) -> None:
    prefect.client.create_pool(WorkPool("of-processes", "process", None, "", is_paused=False))
    prefect.make_pool("by-hand", "process")
    created, by_hand = prefect.api.pool("of-processes"), prefect.api.pool("by-hand")

    assert created
    assert by_hand
    assert created.missing_variables == by_hand.missing_variables
    assert "memory_limit" in created.missing_variables


def test_a_pool_that_is_there_is_brought_to_values_and_keeps_the_rest(prefect: Subject) -> None:
    prefect.make_pool("appeared", "process")
    prefect.api.set_paused("appeared", is_paused=True)

    prefect.client.create_pool(warm("appeared", limit=7, description="now"))

    found = prefect.api.pool("appeared")
    assert found
    assert (found.limit, found.description) == (7, "now")
    assert (found.type, found.is_paused) == ("process", True)
    assert found.missing_variables


def test_an_update_changes_only_what_it_names(prefect: Subject, pool: str) -> None:
    prefect.api.set_paused(pool, is_paused=True)

    prefect.client.update_pool(pool, {"concurrency_limit": 9})
    assert prefect.api.pool(pool) == warm(pool, limit=9, description="as made", is_paused=True)

    prefect.client.update_pool(pool, {"description": "by hand", "is_paused": False})
    assert prefect.api.pool(pool) == warm(pool, limit=9, description="by hand")

    prefect.client.update_pool(pool, {"concurrency_limit": None})
    assert prefect.api.pool(pool) == warm(pool, description="by hand")


def test_job_variables_are_added_and_all_else_stays(prefect: Subject) -> None:
    prefect.make_pool("older", "process")
    before = prefect.api.pool("older")
    assert before
    first, *others = before.missing_variables

    prefect.client.add_job_variables("older", (first,))

    assert prefect.api.pool("older") == WorkPool(
        "older", "process", None, "", is_paused=False, missing_variables=tuple(others)
    )


def test_a_pool_is_paused_and_goes_on_and_nothing_else_changes(prefect: Subject, pool: str) -> None:
    prefect.api.set_paused(pool, is_paused=True)
    assert prefect.api.pool(pool) == warm(pool, limit=5, description="as made", is_paused=True)

    prefect.api.set_paused(pool, is_paused=False)
    assert prefect.api.pool(pool) == warm(pool, limit=5, description="as made")


def test_a_pool_is_deleted_and_once_more_is_fine(prefect: Subject, pool: str) -> None:
    prefect.api.delete_pool(pool)
    prefect.api.delete_pool(pool)

    assert prefect.api.pool(pool) is None
    assert pool not in prefect.api.observe().pools


def test_workers_are_those_of_the_pool(prefect: Subject, pool: str) -> None:
    prefect.client.create_pool(warm("neighbour"))
    prefect.report_worker(pool, "acme-worker-1")
    prefect.report_worker("neighbour", "acme-worker-2")

    (found,) = prefect.api.workers(pool)

    assert (found.name, found.pool, found.is_online) == ("acme-worker-1", pool, True)
    assert abs(found.last_heartbeat - datetime.now(UTC)) < timedelta(minutes=5)
    assert {("acme-worker-1", pool), ("acme-worker-2", "neighbour")} <= {
        (worker.name, worker.pool) for worker in prefect.api.observe().workers
    }


def test_workers_of_one_name_in_two_pools_are_two(prefect: Subject, pool: str) -> None:
    prefect.client.create_pool(warm("twin"))
    for name in (pool, "twin"):
        prefect.report_worker(name, "same-name")

    prefect.api.delete_worker("twin", "same-name")

    assert [worker.name for worker in prefect.api.workers(pool)] == ["same-name"]
    assert not prefect.api.workers("twin")


def test_a_worker_is_deleted_and_once_more_is_fine(prefect: Subject, pool: str) -> None:
    prefect.report_worker(pool, "leaves")
    prefect.report_worker(pool, "stays")

    prefect.api.delete_worker(pool, "leaves")
    prefect.api.delete_worker(pool, "leaves")
    prefect.api.delete_worker("no-such-pool", "leaves")

    assert [worker.name for worker in prefect.api.workers(pool)] == ["stays"]


def test_workers_of_a_deleted_pool_go_with_it(prefect: Subject, pool: str) -> None:
    prefect.report_worker(pool, "goes-too")

    prefect.api.delete_pool(pool)

    assert "goes-too" not in {worker.name for worker in prefect.api.observe().workers}


def test_runs_are_chosen_by_state_and_by_pool(prefect: Subject, pool: str) -> None:
    prefect.client.create_pool(warm("elsewhere"))
    here, there = prefect.deploy("chosen", pool), prefect.deploy("other", "elsewhere")
    running, pending = prefect.begin(here, "RUNNING"), prefect.begin(here, "PENDING")
    foreign = prefect.begin(there, "RUNNING")

    assert ids(prefect.api.runs(("RUNNING",), pool)) == {running}
    assert ids(prefect.api.runs(("RUNNING", "PENDING"), pool)) == {running, pending}
    assert ids(prefect.api.runs(("RUNNING",), "elsewhere")) == {foreign}
    assert {running, foreign} <= ids(prefect.api.runs(("RUNNING",)))
    assert not {pending} & ids(prefect.api.runs(("RUNNING",)))
    assert not prefect.api.runs(("CRASHED",), pool)


def test_a_run_says_whose_it_is_and_since_when(prefect: Subject, pool: str) -> None:
    id_ = prefect.begin(prefect.deploy("told", pool), "RUNNING", "acme-worker-1")

    (found,) = prefect.api.runs(("RUNNING",), pool)

    assert (found.id, found.pool, found.worker) == (id_, pool, "acme-worker-1")
    assert (found.state_type, found.state_name) == ("RUNNING", "Running")
    assert found.since.tzinfo is not None
    assert prefect.api.run(id_).id == id_


def test_what_is_observed_is_unfinished(prefect: Subject, pool: str) -> None:
    deployment = prefect.deploy("observed", pool)
    begun = {state: prefect.begin(deployment, state) for state in _ALL}

    found = ids(prefect.api.observe().runs) & {*begun.values()}

    assert found == {begun["RUNNING"], begun["PENDING"], begun["CANCELLING"]}


def judged(prefect: Subject, id_: str) -> str:
    """Return the id of the state that a run is in now."""
    return prefect.api.run(id_).state


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_lost_run_is_crashed_with_a_reason(prefect: Subject, state: str) -> None:
    name = f"crashed-{state.lower()}"
    prefect.client.create_pool(warm(name))
    id_ = prefect.begin(prefect.deploy(name, name), state)

    prefect.api.settle_run(id_, judged(prefect, id_), LostRunOutcome.CRASH, "its worker is gone")

    (found,) = prefect.api.runs(("CRASHED",), name)
    assert (found.id, found.state_name) == (id_, "Crashed")
    assert prefect.api.run_message(id_) == "its worker is gone"


def test_a_lost_run_that_was_to_be_cancelled_is(prefect: Subject, pool: str) -> None:
    id_ = prefect.begin(prefect.deploy("cancelling", pool), "CANCELLING")

    prefect.api.settle_run(id_, judged(prefect, id_), LostRunOutcome.CANCEL, "its worker is gone")

    assert ids(prefect.api.runs(("CANCELLED",), pool)) == {id_}


def test_a_run_is_settled_once_and_only_as_it_was_judged(prefect: Subject, pool: str) -> None:
    id_ = prefect.begin(prefect.deploy("settled", pool), "RUNNING")
    before = judged(prefect, id_)

    prefect.api.settle_run(id_, before, LostRunOutcome.REQUEUE, "its worker is gone")
    after = judged(prefect, id_)
    for outcome in LostRunOutcome:
        prefect.api.settle_run(id_, before, outcome, "judged before")

    assert after != before
    assert judged(prefect, id_) == after
    assert ids(prefect.api.runs(("SCHEDULED",), pool)) == {id_}


def test_what_has_ended_is_not_crashed(prefect: Subject, pool: str) -> None:
    id_ = prefect.begin(prefect.deploy("ended", pool), "CANCELLED")
    before = judged(prefect, id_)

    prefect.api.settle_run(id_, before, LostRunOutcome.CRASH, "judged too late")

    assert prefect.api.run(id_).state == before


def test_a_run_is_cancelled_with_a_reason(prefect: Subject, pool: str) -> None:
    id_ = prefect.begin(prefect.deploy("cancelled", pool), "SCHEDULED")

    prefect.api.cancel_run(id_, "its pool is deleted")

    (found,) = prefect.api.runs(("CANCELLED",), pool)
    assert (found.id, found.state_name) == (id_, "Cancelled")
    assert prefect.api.run_message(id_) == "its pool is deleted"


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_run_is_scheduled_anew(prefect: Subject, state: str) -> None:
    name = f"requeued-{state.lower()}"
    prefect.client.create_pool(warm(name))
    id_ = prefect.begin(prefect.deploy(name, name), state)

    prefect.api.settle_run(id_, judged(prefect, id_), LostRunOutcome.REQUEUE, "its worker is gone")

    assert ids(prefect.api.runs(_ALL, name)) == {id_}
    (found,) = prefect.api.runs(("SCHEDULED",), name)
    assert found.state_name == "Scheduled"
    assert prefect.api.run_message(id_) == "its worker is gone"


def test_a_created_run_is_scheduled_in_the_pool_of_its_deployment(prefect: Subject, pool: str) -> None:
    found = prefect.api.deployment(prefect.deploy("created", pool))
    assert found

    run = prefect.api.create_run(found["id"], RunRequest({"source": "lake"}))

    assert (run.state_type, run.state_name, run.pool, run.worker) == ("SCHEDULED", "Scheduled", pool, None)
    assert ids(prefect.api.runs(("SCHEDULED",), pool)) == {run.id}
    assert prefect.api.run(run.id).id == run.id


def test_a_run_is_created_with_what_it_is_given(prefect: Subject, pool: str) -> None:
    found = prefect.api.deployment(prefect.deploy("given", pool))
    assert found
    start = datetime.now(UTC) + timedelta(hours=1)

    run = prefect.api.create_run(found["id"], RunRequest({}, ("nightly",), "by-hand", start))

    assert (run.name, run.state_type) == ("by-hand", "SCHEDULED")


def test_a_deployment_is_found_by_its_name(prefect: Subject, pool: str) -> None:
    name = prefect.deploy("found", pool)

    found = prefect.api.deployment(name)

    assert found
    assert found["work_pool_name"] == pool
    assert {"id", "parameters", "parameter_openapi_schema"} <= set(found)
    assert prefect.api.deployment("hello/no-such") is None


def test_deployments_are_named_in_order(prefect: Subject, pool: str) -> None:
    names = [prefect.deploy(name, pool) for name in ("b-last", "a-first")]

    found = prefect.api.deployment_names()

    assert {*names} <= {*found}
    assert found == sorted(found)


def test_a_log_of_any_length_is_whole_and_in_the_order_of_its_times(prefect: Subject, pool: str) -> None:
    """A server gives 200 lines at a time."""
    id_ = prefect.begin(prefect.deploy("logging", pool), "RUNNING")
    prefect.write_log(id_, {minute: f"line {minute}" for minute in range(100, 205)})
    prefect.write_log(id_, {minute: f"line {minute}" for minute in range(100)})
    prefect.write_log(id_, {300: "Finished in state Completed()"})

    found = prefect.api.logs([id_])

    assert [line.text for line in found[:-1]] == [f"line {minute}" for minute in range(205)]
    assert len({line.id for line in found}) == 206
    assert {line.level for line in found} == {20}
    assert [line.text for line in found if line.ends_run] == ["Finished in state Completed()"]


def test_runs_below_are_those_that_a_run_started(prefect: Subject, pool: str) -> None:
    """A server gives 200 runs at a time."""
    deployment = prefect.deploy("with-runs-below", pool)
    top, other = (prefect.begin(deployment, "RUNNING") for _ in range(2))
    below = [prefect.begin_below(top) for _ in range(201)]
    deepest = prefect.begin_below(below[0])

    assert ids(prefect.api.child_runs([top])) == {*below}
    assert ids(prefect.api.child_runs(below)) == {deepest}
    assert ids(prefect.api.child_runs([top, *below])) == {*below, deepest}
    assert not prefect.api.child_runs([other, deepest])


def test_lines_of_several_runs_come_in_order_and_say_who_wrote_them(prefect: Subject, pool: str) -> None:
    top = prefect.begin(prefect.deploy("with-tasks", pool), "RUNNING")
    below, task = prefect.begin_below(top), prefect.begin_task(top, "extract-0")
    prefect.write_log(top, {1: "begins", 5: "Finished in state Completed()"})
    prefect.write_log(top, {2: "Finished in state Completed()"}, task)
    prefect.write_log(below, {3: "below", 4: "Finished in state Failed()"})

    found = prefect.api.logs([below, top])

    assert [(line.run, line.task) for line in found] == [
        (top, None),
        (top, task),
        (below, None),
        (below, None),
        (top, None),
    ]
    assert [line.ends_run for line in found] == [False, False, False, True, True]
    assert {line.run for line in prefect.api.logs([below])} == {below}


def test_task_runs_are_named_by_their_ids(prefect: Subject, pool: str) -> None:
    run = prefect.begin(prefect.deploy("with-named-tasks", pool), "RUNNING")
    first, second, other = (prefect.begin_task(run, name) for name in ("extract-0", "load-0", "load-1"))

    assert prefect.api.task_names([first, second, _MISSING]) == {first: "extract-0", second: "load-0"}
    assert other not in prefect.api.task_names([first])


def test_the_automation_of_an_earlier_platformctl_is_found_and_deleted(prefect: Subject) -> None:
    assert prefect.api.observe().zombie_automations == ()
    prefect.make_zombie_automation()
    (found,) = prefect.api.observe().zombie_automations

    prefect.api.delete_automation(found)
    prefect.api.delete_automation(found)

    assert prefect.api.observe().zombie_automations == ()


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda it: it.api.run(_MISSING), id="run"),
        pytest.param(lambda it: it.api.run_message(_MISSING), id="run_message"),
        pytest.param(lambda it: it.api.create_run(_MISSING, RunRequest()), id="create_run"),
        pytest.param(lambda it: it.api.settle_run(_MISSING, _MISSING, LostRunOutcome.CRASH, ""), id="settle_run"),
        pytest.param(lambda it: it.api.cancel_run(_MISSING, ""), id="cancel_run"),
        pytest.param(lambda it: it.api.workers("no-such"), id="workers"),
        pytest.param(lambda it: it.api.set_paused("no-such", is_paused=True), id="set_paused"),
        pytest.param(lambda it: it.client.update_pool("no-such", {"description": ""}), id="update_pool"),
        pytest.param(lambda it: it.client.add_job_variables("no-such", ("memory_limit",)), id="add_job_variables"),
    ],
)
def test_what_is_not_there_is_refused(prefect: Subject, ask: Callable[[Subject], object]) -> None:
    with pytest.raises(ServerError):
        ask(prefect)


@pytest.fixture(params=["fake", "real"])
def absent(request: pytest.FixtureRequest) -> Api:
    """Give the API of a server that isn't there."""
    return FakePrefect(is_up=False) if request.param == "fake" else PrefectApi(_NOWHERE, SecretStr(AUTH))


@pytest.fixture(scope="module", params=["fake", REAL])
def absent_client(request: pytest.FixtureRequest) -> Client:
    """Give the client of a server that isn't there; the real one tries three times, for a second and a half."""
    return FakePrefect(is_up=False) if request.param == "fake" else PrefectClient(_NOWHERE, SecretStr(AUTH))


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda api: api.observe(), id="observe"),
        pytest.param(lambda api: api.pool("dev"), id="pool"),
        pytest.param(lambda api: api.workers("dev"), id="workers"),
        pytest.param(lambda api: api.runs(_ALL), id="runs"),
        pytest.param(lambda api: api.run(_MISSING), id="run"),
        pytest.param(lambda api: api.run_message(_MISSING), id="run_message"),
        pytest.param(lambda api: api.child_runs([_MISSING]), id="child_runs"),
        pytest.param(lambda api: api.task_names([_MISSING]), id="task_names"),
        pytest.param(lambda api: api.logs([_MISSING]), id="logs"),
        pytest.param(lambda api: api.deployment_names(), id="deployment_names"),
        pytest.param(lambda api: api.deployment("hello/nightly"), id="deployment"),
        pytest.param(lambda api: api.create_run(_MISSING, RunRequest()), id="create_run"),
        pytest.param(lambda api: api.settle_run(_MISSING, _MISSING, LostRunOutcome.CRASH, ""), id="settle_run"),
        pytest.param(lambda api: api.cancel_run(_MISSING, ""), id="cancel_run"),
        pytest.param(lambda api: api.set_paused("dev", is_paused=True), id="set_paused"),
        pytest.param(lambda api: api.delete_pool("dev"), id="delete_pool"),
        pytest.param(lambda api: api.delete_worker("dev", "one"), id="delete_worker"),
    ],
)
def test_a_server_that_is_not_there_is_said_to_be_away(absent: Api, ask: Callable[[Api], object]) -> None:
    assert not absent.is_ready()
    with pytest.raises(ServerError, match="doesn't answer"):
        ask(absent)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda client: client.create_pool(warm("dev")), id="create_pool"),
        pytest.param(lambda client: client.update_pool("dev", {"description": ""}), id="update_pool"),
        pytest.param(lambda client: client.add_job_variables("dev", ("memory_limit",)), id="add_job_variables"),
    ],
)
def test_a_definition_needs_a_server(absent_client: Client, ask: Callable[[Client], object]) -> None:
    with pytest.raises(ServerError, match="doesn't answer"):
        ask(absent_client)


@pytest.fixture
def stranger(server: str) -> tuple[Api, Client]:
    """Give the ports to the server with another password than it asks for."""
    return PrefectApi(server, SecretStr("admin:wrong")), PrefectClient(server, SecretStr("admin:wrong"))


@pytest.mark.e2e
@pytest.mark.others
def test_another_password_is_refused_and_named_as_the_cause(stranger: tuple[Api, Client]) -> None:
    api, client = stranger
    for ask in (api.observe, api.deployment_names, lambda: client.create_pool(warm("intruder"))):
        with pytest.raises(ServerError, match=r"refuses the password of this platform \(401\)"):
            ask()
