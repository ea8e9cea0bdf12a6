"""How long Prefect's clients ask a server that doesn't answer: for an hour, every quarter of a minute.

By themselves they give up after a minute, and a run that ends just then is lost; with more retries their pauses double, up to hours
beyond the server's return. A client that was never answered gives up at once, though others of its process were: Prefect makes a
new one for each concurrency limit.
"""

from typing import Any

import httpx
from prefect.client import base
from prefect.settings import PREFECT_CLIENT_RETRY_EXTRA_CODES, get_current_settings
from prefect.utilities.math import clamped_poisson_interval

_RETRIES = 300
_LONGEST_PAUSE = 12.0
"""Seconds, give or take a fifth."""


def be_patient() -> None:
    """Have this process's clients outlast an outage of its server, which has answered somebody. What a user has set holds."""
    patient: Any = base
    patient.PREFECT_CLIENT_MAX_RETRIES = _Retries
    patient.PREFECT_CLIENT_RETRY_EXTRA_CODES = _PassingCodes
    patient.clamped_poisson_interval = _pause
    answered = _HasConnected(get_current_settings().api.url or "")
    for client in (patient.PrefectHttpxAsyncClient, patient.PrefectHttpxSyncClient):
        client._has_connected = answered


class _Retries:
    """Stands in for the setting, which a user may have set nevertheless."""

    @staticmethod
    def value() -> int:
        client = get_current_settings().client
        return client.max_retries if "max_retries" in client.model_fields_set else _RETRIES


class _PassingCodes:
    """Stands in for the setting: what a proxy answers for a server that doesn't is passing, too."""

    @staticmethod
    def value() -> set[int]:
        return {*PREFECT_CLIENT_RETRY_EXTRA_CODES.value(), httpx.codes.GATEWAY_TIMEOUT}


def _pause(average: float, factor: float) -> float:
    return clamped_poisson_interval(min(average, _LONGEST_PAUSE), factor)


class _HasConnected:
    """Whether a client's server has ever answered: that client, or whoever began this process."""

    def __init__(self, answered: str) -> None:
        """answered: the address of an API."""
        self._answered = answered.rstrip("/")

    def __get__(self, client: Any, _: type | None = None) -> bool:  # noqa: ANN401  # one of Prefect's clients
        has_answered: bool = vars(client).get("_has_connected", False)
        return has_answered or str(client.base_url).rstrip("/") == self._answered

    def __set__(self, client: object, has_answered: bool) -> None:  # noqa: FBT001  # as attributes are set
        vars(client)["_has_connected"] = has_answered
