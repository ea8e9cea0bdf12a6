"""Prefect's own client, for what defines pools.

The client and the server may each be of any supported version: what is sent is what is set here, and no field that the
client's version has and leaves at its default. A server refuses fields that it doesn't know (HTTP 422). Importing this
module imports Prefect, which takes seconds: import it where it is needed, or ahead of time from a thread.
"""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")  # importing Prefect on a terminal would report to its makers, and say so

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError
from pydantic import SecretStr

from platformctl.adapters.prefect.ports import PoolField
from platformctl.adapters.prefect.refusals import refused
from platformctl.errors import ServerError
from platformctl.model.job_templates import own_template, with_variables
from platformctl.model.observed import WorkPool


class PrefectClient:
    """Writes to Prefect's API at an address, with its user and password."""

    def __init__(self, url: str, auth: SecretStr) -> None:
        """auth: `user:password`."""
        self._url = url
        self._client = SyncPrefectClient(url, auth_string=auth.get_secret_value())

    def create_pool(self, pool: WorkPool) -> None:
        """Create a pool; one that appeared in the meantime is brought to the same values, and keeps its template."""
        with self._translated():
            wanted = WorkPoolCreate(
                name=pool.name,
                type=pool.type,
                description=pool.description or None,
                concurrency_limit=pool.limit,
                is_paused=pool.is_paused,
                base_job_template=self._template(pool.type),
            )
            try:
                self._client.create_work_pool(wanted)
            except ObjectAlreadyExists:
                self._update(pool.name, {"concurrency_limit": pool.limit, "description": pool.description})

    def update_pool(self, name: str, changes: Mapping[str, PoolField]) -> None:
        """Change some fields of a pool, named as Prefect names them, and no other."""
        with self._translated():
            self._update(name, changes)

    def add_job_variables(self, name: str, variables: tuple[str, ...]) -> None:
        """Have a pool's job template know some variables of warm workers more; all else of it stays."""
        with self._translated():
            found = self._client.read_work_pool(name)
            template = dict(with_variables(found.base_job_template, variables))
            self._client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))

    def _template(self, type_: str) -> dict[str, Any]:
        """The job template of a type, ours or the server's own: without one a pool has none until its first worker starts."""
        if own := own_template(type_):
            return dict(own)
        view = {"view": "aggregate-worker-metadata"}
        collections = self._client.request("GET", "/collections/views/{view}", path_params=view).json()
        found = [types[type_] for types in collections.values() if type_ in types]
        return dict(found[0]["default_base_job_configuration"]) if found else {}

    def _update(self, name: str, changes: Mapping[str, PoolField]) -> None:
        self._client.update_work_pool(name, WorkPoolUpdate.model_validate(dict(changes)))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ObjectNotFound as error:
            raise refused(self._url, httpx.codes.NOT_FOUND, str(error.http_exc)) from error
        except PrefectHTTPStatusError as error:
            raise refused(self._url, error.response.status_code, error.response.text) from error
        except httpx.HTTPError as error:
            remedy = "`platformctl status` shows what runs, `platformctl logs server` what it says."
            raise ServerError(f"Prefect's server at {self._url} doesn't answer: {error}", remedy=remedy) from error
