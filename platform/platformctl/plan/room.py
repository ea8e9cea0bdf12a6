"""Whether the machine has the memory for all that runs at once, were each service to use what it may."""

from collections.abc import Iterable

from platformctl.errors import PreflightError
from platformctl.model.observed import Machine
from platformctl.model.service import Service
from platformctl.model.spec import mebibytes
from platformctl.plan.wanted import Wanted

_MIB = 1024**2


def has_room(wanted: Wanted, machine: Machine, *more: Service) -> bool:
    """Whether what runs all the time fits into the machine, and `more` beside it. It does where its memory isn't known."""
    return machine.memory is None or _memory_of((*_lasting(wanted), *more)) <= machine.memory


def check_room(wanted: Wanted, machine: Machine) -> None:
    """Raise PreflightError where workers are to be added, and what runs all the time doesn't fit into the machine.

    What runs already may stay, whatever its limits: it is more that is refused.
    """
    workers = [service for service in _lasting(wanted) if service.role == "worker"]
    is_added = any(not machine.of_service(worker.name) for worker in workers)
    if machine.memory is None or not is_added or has_room(wanted, machine):
        return
    spec, needed = wanted.project.spec, _memory_of(_lasting(wanted))
    pool = max(spec.pools, key=lambda name: _memory_of(wanted.stack.workers(name)))
    others = needed - _memory_of(wanted.stack.workers(pool))
    fitting = max(machine.memory - others, 0) // (mebibytes(spec.pools[pool].memory) * _MIB)
    found = (
        f"The platform may use {_gibibytes(needed)} of memory, and the machine has {_gibibytes(machine.memory)}: "
        f"{spec.pools[pool].workers} workers of {pool!r} may use {spec.pools[pool].memory} each."
    )
    remedy = (
        f"{fitting} of them fit. Want fewer, or set a smaller `memory` under [pools.{pool}] in {wanted.project.file}."
    )
    raise PreflightError(found, remedy=f"{remedy} Nothing was changed.")


def _lasting(wanted: Wanted) -> list[Service]:
    return [service for service in wanted.stack.services if not service.is_oneshot and not service.is_spare]


def _memory_of(services: Iterable[Service]) -> int:
    return sum(mebibytes(service.limits.memory) for service in services) * _MIB


def _gibibytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
