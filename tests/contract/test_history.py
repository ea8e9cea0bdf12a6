"""What the history of flow runs promises, of the Prefect in memory and of a server alike."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from contract.conftest import AUTH
from contract.prefect_subjects import Subject
from platformctl.adapters.prefect.api import PrefectApi
from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.adapters.prefect.ports import Api, RunRequest
from platformctl.errors import RunError, ServerError
from platformctl.model.observed import WorkPool
from platformctl.model.runs import RunQuery
from prefect_warm_worker.contract import LostRunOutcome

_MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def deployment(prefect: Subject, request: pytest.FixtureRequest) -> str:
    """Return the name of a deployment, in a pool of this test's own."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:40]
    prefect.client.create_pool(WorkPool(name, "warm", None, "", is_paused=False))
    return prefect.deploy(name, name)


def start(prefect: Subject, deployment: str, wanted: RunRequest) -> str:
    found = prefect.api.deployment(deployment)
    assert found
    return prefect.api.create_run(found["id"], wanted).id


def found_ids(prefect: Subject, query: RunQuery) -> list[str]:
    return [record.run.id for record in prefect.api.history.find(query)]


def test_a_run_is_told_with_what_it_was_given(prefect: Subject, deployment: str) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    id_ = start(prefect, deployment, RunRequest({}, ("nightly",), "by-hand", begin))

    (found,) = prefect.api.history.find(RunQuery(ids=(id_,)))

    assert (found.run.id, found.run.name, found.run.state_type) == (id_, "by-hand", "SCHEDULED")
    assert (found.flow, found.deployment, found.run.pool) == ("hello", deployment, deployment.partition("/")[2])
    assert (found.due, found.started, found.ended) == (begin, None, None)
    assert (found.tags, found.parameters, found.attempts, found.parent_task) == (("nightly",), {}, 0, None)


def test_runs_are_chosen_by_all_that_is_given(prefect: Subject, deployment: str) -> None:
    pool = deployment.partition("/")[2]
    prefect.client.create_pool(WorkPool("otherwise", "warm", None, "", is_paused=False))
    other = prefect.deploy("otherwise", "otherwise")
    running, failed = prefect.begin(deployment, "RUNNING"), prefect.begin(deployment, "FAILED")
    late = start(prefect, deployment, RunRequest(name="named", start=datetime.now(UTC) - timedelta(hours=1)))
    begun = prefect.begin(other, "RUNNING")

    assert found_ids(prefect, RunQuery(("RUNNING",), deployment=deployment)) == [running]
    assert set(found_ids(prefect, RunQuery(("FAILED", "Running"), pool=pool))) == {running, failed}
    assert found_ids(prefect, RunQuery(names=("named",), pool=pool)) == [late]
    assert found_ids(prefect, RunQuery(deployment=other)) == [begun]
    assert set(found_ids(prefect, RunQuery(pool=pool))) == {running, failed, late}
    assert len(found_ids(prefect, RunQuery(pool=pool, limit=2))) == 2
    assert prefect.api.history.count(RunQuery(pool=pool, limit=2)) == 3
    assert found_ids(prefect, RunQuery(ids=(_MISSING,))) == []


def test_what_is_due_last_comes_first(prefect: Subject, deployment: str) -> None:
    now = datetime.now(UTC)
    begins = [now + timedelta(hours=hours) for hours in (2, -2, 1)]
    later, past, soon = (start(prefect, deployment, RunRequest(start=begin)) for begin in begins)

    assert found_ids(prefect, RunQuery(deployment=deployment)) == [later, soon, past]
    assert found_ids(prefect, RunQuery(deployment=deployment, before=now)) == [past]
    assert found_ids(prefect, RunQuery(deployment=deployment, after=now)) == [later, soon]


def test_runs_below_are_told_with_what_stands_for_them(prefect: Subject, deployment: str) -> None:
    top = prefect.begin(deployment, "RUNNING")
    below, task = prefect.begin_below(top), prefect.begin_task(top, "extract-0")

    (child,) = prefect.api.history.children([top])
    tasks = {each.id: each for each in prefect.api.history.tasks([top])}

    assert (child.run.id, child.flow, child.deployment) == (below, "below", "")
    assert {task, child.parent_task} == tasks.keys()
    assert (tasks[task].name, tasks[task].run, tasks[task].started) == ("extract-0", top, None)
    assert found_ids(prefect, RunQuery(ids=(top, below), is_top=True)) == [top]
    assert found_ids(prefect, RunQuery(ids=(top, below), is_top=False)) == [below]
    assert found_ids(prefect, RunQuery(ids=(top, below), is_deployed=True)) == [top]
    assert prefect.api.history.tasks([below]) == []


def test_what_no_process_has_ends_at_once(prefect: Subject, deployment: str) -> None:
    id_ = prefect.begin(deployment, "SCHEDULED")
    assert prefect.api.history.cancel(id_) == "CANCELLED"
    assert prefect.api.run(id_).state_name == "Cancelled"


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_what_a_process_has_is_asked_to_end(prefect: Subject, state: str) -> None:
    prefect.client.create_pool(WorkPool(f"asked-{state.lower()}", "warm", None, "", is_paused=False))
    id_ = prefect.begin(prefect.deploy(f"asked-{state.lower()}", f"asked-{state.lower()}"), state)

    assert prefect.api.history.cancel(id_) == "CANCELLING"

    assert [each.name for each in prefect.api.history.states(id_)][-1] == "Cancelling"


def test_a_run_that_has_ended_stays_as_it_is(prefect: Subject, deployment: str) -> None:
    id_ = prefect.begin(deployment, "FAILED")
    assert prefect.api.history.cancel(id_) == "FAILED"


@pytest.mark.parametrize("state", ["FAILED", "CRASHED", "CANCELLED"])
def test_an_ended_run_is_scheduled_once_more(prefect: Subject, state: str) -> None:
    name = f"retried-{state.lower()}"
    prefect.client.create_pool(WorkPool(name, "warm", None, "", is_paused=False))
    id_ = prefect.begin(prefect.deploy(name, name), state)

    prefect.api.history.retry(id_)

    (found,) = prefect.api.history.find(RunQuery(ids=(id_,)))
    assert (found.run.state_type, found.run.state_name, found.retries_in_process) == (
        "SCHEDULED",
        "AwaitingRetry",
        False,
    )
    assert [each.type for each in prefect.api.history.states(id_)] == [state, "SCHEDULED"]


def test_a_run_of_no_deployment_is_not_scheduled_once_more(prefect: Subject, deployment: str) -> None:
    below = prefect.begin_below(prefect.begin(deployment, "RUNNING"))
    prefect.api.settle_run(below, prefect.api.run(below).state, LostRunOutcome.CRASH, "")

    with pytest.raises(RunError, match="without an associated deployment"):
        prefect.api.history.retry(below)


ASKED: list[Callable[[Api], object]] = [
    lambda api: api.history.find(RunQuery()),
    lambda api: api.history.count(RunQuery()),
    lambda api: api.history.children([_MISSING]),
    lambda api: api.history.states(_MISSING),
    lambda api: api.history.tasks([_MISSING]),
    lambda api: api.history.cancel(_MISSING),
    lambda api: api.history.retry(_MISSING),
]


@pytest.mark.parametrize("kind", ["fake", "real"])
@pytest.mark.parametrize("ask", ASKED)
def test_a_server_that_is_not_there_is_said_to_be_away(kind: str, ask: Callable[[Api], object]) -> None:
    real = PrefectApi("http://127.0.0.1:9/api", SecretStr(AUTH))
    with pytest.raises(ServerError, match="doesn't answer"):
        ask(FakePrefect(is_up=False) if kind == "fake" else real)
