"""What keeps the server's leases, over Prefect's own storage: a Prefect that moved that fails here."""

import asyncio
import contextlib
import importlib.util
import inspect
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from uuid import UUID, uuid4

import pytest
from prefect.server.concurrency.lease_storage import (
    ConcurrencyLeaseStorageModule,
    ConcurrencyLimitLeaseMetadata,
    get_concurrency_lease_storage,
)
from prefect.server.services import repossessor
from prefect.settings import PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE, get_current_settings, temporary_settings

from platformctl.stack.leases import LEASE_STORAGE, LEASES_FOLDER

MODULE = Path(__file__).parents[2] / "images" / "server" / f"{LEASE_STORAGE}.py"


@pytest.fixture
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the module as a server has it that has just started."""
    monkeypatch.setenv(LEASES_FOLDER, str(tmp_path / "leases"))
    monkeypatch.syspath_prepend(MODULE.parent)
    spec = importlib.util.spec_from_file_location(LEASE_STORAGE, MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Clock:
    """The time of a server, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(leases: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(leases, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def taken(leases: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[UUID, tuple[int, float]]:
    """Give what the database holds of limits: how many slots are taken, and how many come back by themselves a second."""
    found: dict[UUID, tuple[int, float]] = {}

    @contextlib.asynccontextmanager
    async def open_session() -> AsyncIterator[None]:
        yield

    async def read(**_: object) -> list[SimpleNamespace]:
        rows = [(id_, slots, decay) for id_, (slots, decay) in found.items()]
        return [SimpleNamespace(id=id_, active_slots=slots, slot_decay_per_second=decay) for id_, slots, decay in rows]

    assert set(inspect.signature(leases.read_all_concurrency_limits).parameters) >= {"session", "limit", "offset"}
    monkeypatch.setattr(leases, "provide_database_interface", lambda: SimpleNamespace(session_context=open_session))
    monkeypatch.setattr(leases, "read_all_concurrency_limits", read)
    return found


def grant(leases: ModuleType, seconds: float, limit: UUID | None = None) -> UUID:
    """Grant a lease of a slot for a time, which may have passed; returns its id."""
    holds = ConcurrencyLimitLeaseMetadata(slots=1)
    storage = leases.ConcurrencyLeaseStorage()
    lease = asyncio.run(storage.create_lease([limit or uuid4()], timedelta(seconds=seconds), holds))
    found: UUID = lease.id
    return found


def expired(leases: ModuleType, limit: int = 100) -> list[UUID]:
    """Look for what has expired, as a server does every quarter of a minute."""
    found: list[UUID] = asyncio.run(leases.ConcurrencyLeaseStorage().read_expired_lease_ids(limit))
    return found


def stay(leases: ModuleType, clock: Clock, seconds: float) -> list[UUID]:
    """Be there for a time; returns what had expired at its end."""
    found: list[UUID] = []
    for _ in range(int(seconds / leases.LOOKED_EVERY)):
        clock.now += leases.LOOKED_EVERY
        found = expired(leases)
    return found


def test_a_lease_that_expired_while_the_server_was_away_can_be_renewed_at_its_return(
    leases: ModuleType, clock: Clock
) -> None:
    held, lost = grant(leases, -600), grant(leases, -600)
    assert expired(leases) == []
    assert stay(leases, clock, 30) == []
    assert asyncio.run(leases.ConcurrencyLeaseStorage().renew_lease(held, timedelta(seconds=300)))
    assert stay(leases, clock, 45) == [lost]


def test_a_server_that_was_paused_gives_the_same_time(leases: ModuleType, clock: Clock) -> None:
    expired(leases)
    stay(leases, clock, 90)
    lost = grant(leases, -600)
    clock.now += 600
    assert expired(leases) == []
    assert stay(leases, clock, 75) == [lost]


def test_slots_that_no_lease_holds_are_freed_as_those_of_an_expired_one(
    leases: ModuleType, clock: Clock, taken: dict[UUID, tuple[int, float]]
) -> None:
    leaked, held, paced, busy = uuid4(), uuid4(), uuid4(), uuid4()
    taken.update({leaked: (3, 0.0), held: (1, 0.0), paced: (2, 0.5), busy: (1, 0.0)})
    grant(leases, 300, leaked)
    grant(leases, 300, held)
    expired(leases)
    taken[busy] = (0, 0.0)
    assert stay(leases, clock, 30) == []
    taken[busy] = (1, 0.0)
    (freed,) = stay(leases, clock, 45)
    lease = asyncio.run(leases.ConcurrencyLeaseStorage().read_lease(freed))
    assert (lease.resource_ids, lease.metadata.slots) == ([leaked], 2)
    asyncio.run(leases.ConcurrencyLeaseStorage().revoke_lease(freed))
    assert stay(leases, clock, 30) == []


def test_a_lease_outlives_its_server_and_is_gone_once_it_is_revoked(leases: ModuleType) -> None:
    lease = grant(leases, 300)
    storage = leases.ConcurrencyLeaseStorage()
    assert asyncio.run(storage.read_active_lease_ids()) == [lease]
    asyncio.run(storage.revoke_lease(lease))
    assert asyncio.run(leases.ConcurrencyLeaseStorage().read_lease(lease)) is None


def test_no_more_are_named_than_are_asked_for(leases: ModuleType, clock: Clock) -> None:
    for _ in range(3):
        grant(leases, -1)
    expired(leases)
    stay(leases, clock, 75)
    assert len(expired(leases, limit=2)) == 2


def test_prefect_looks_as_often_as_the_module_says(leases: ModuleType) -> None:
    assert get_current_settings().server.services.repossessor.loop_seconds == leases.LOOKED_EVERY
    assert hasattr(repossessor, "monitor_expired_leases")


def test_prefect_takes_the_module_for_a_storage(leases: ModuleType) -> None:
    assert isinstance(leases, ConcurrencyLeaseStorageModule)
    assert leases.FOLDER == LEASES_FOLDER
    with temporary_settings({PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE: LEASE_STORAGE}):
        assert type(get_concurrency_lease_storage()).__module__ == LEASE_STORAGE
