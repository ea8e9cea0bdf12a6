"""Settling a flow run at most once, and only while it is what it was judged to be.

Prefect's client repeats a request that got no answer, though the server may have carried it out: a run that is scheduled again
twice runs twice. And a run may end, or be taken by another worker, while it is judged. So nothing is forced, the request
isn't repeated, and after a failure the run is read anew: it was settled, it is another one's business, or it is asked again.
"""

from datetime import datetime, timezone

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from prefect_warm_worker.contract import IN_PROCESS, LostRunOutcome, settled_state, transition_id

_ATTEMPTS = 5


async def settle_once(client: PrefectClient, run: FlowRun, outcome: LostRunOutcome, message: str) -> bool:
    """Settle a flow run that is in the state that it was read with; returns whether it is settled, now or by a request before.

    message: of its new state. Raises httpx.HTTPError where the server doesn't answer for long.
    """
    for attempt in range(_ATTEMPTS):
        found = await client.read_flow_run(run.id)
        if found.state_id != run.state_id:
            return attempt > 0 and await _was_settled(client, run)
        try:
            return await _settle(client, run, outcome, message)
        except httpx.HTTPError as error:
            if attempt == _ATTEMPTS - 1 or not may_have_arrived(error):
                raise
    raise AssertionError


def may_have_arrived(error: httpx.HTTPError) -> bool:
    """Whether an error leaves open what the server did: it doesn't say that it refuses."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
    return isinstance(error, httpx.TransportError)


async def _settle(client: PrefectClient, run: FlowRun, outcome: LostRunOutcome, message: str) -> bool:
    if outcome is LostRunOutcome.REQUEUE and run.empirical_policy.retry_type == IN_PROCESS:
        await client.update_flow_run(
            run.id, empirical_policy=run.empirical_policy.model_copy(update={"retry_type": None})
        )
        if run.state is not None and run.state.is_scheduled():
            return True  # it awaits its retry, which any worker may begin now
    state = settled_state(outcome, message, str(run.state_id), datetime.now(timezone.utc))  # noqa: UP017  # Python 3.10
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        answer = await client.request(
            "POST", "/flow_runs/{id}/set_state", path_params={"id": run.id}, json={"state": state, "force": False}
        )
    result = answer.json()
    return _is_of(run, State.model_validate(result["state"])) if result.get("state") else False


async def _was_settled(client: PrefectClient, run: FlowRun) -> bool:
    """Whether a request that got no answer was carried out: the run may have gone on since."""
    return any(_is_of(run, state) for state in await client.read_flow_run_states(run.id))


def _is_of(run: FlowRun, state: State) -> bool:
    return str(state.state_details.transition_id) == transition_id(str(run.state_id))
