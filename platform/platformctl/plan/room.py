"""Whether the machine can carry all that runs at once, were each service to use the memory that it may."""

from collections.abc import Iterable

from platformctl.errors import PreflightError
from platformctl.model.observed import Machine
from platformctl.model.service import Service
from platformctl.model.texts import mebibytes
from platformctl.plan.wanted import Wanted

_MIB = 1024**2
_PER_PROCESSOR = 32
"""Workers that a CPU carries. An idle one takes 0.8 % of a CPU, its health check included, as measured on two of them: a quarter of
the machine is the most that goes into workers which do nothing. To start takes each some 10 s of a CPU, which is an estimate."""


def has_room(wanted: Wanted, machine: Machine, *more: Service) -> bool:
    """Whether what runs all the time fits into the machine, and `more` beside it. It does where its memory isn't known."""
    return machine.memory is None or _memory_of((*_lasting(wanted), *more)) <= machine.memory


def check_room(wanted: Wanted, machine: Machine) -> None:
    """Raise PreflightError where workers are to be added, and what runs all the time is too much for the machine.

    What runs already may stay, whatever its limits: it is more that is refused.
    """
    workers = [service for service in _lasting(wanted) if service.role == "worker"]
    if all(machine.of_service(worker.name) for worker in workers):
        return
    if machine.memory is not None and not has_room(wanted, machine):
        raise _too_much_memory(wanted, machine.memory)
    if machine.processors is not None and len(workers) > machine.processors * _PER_PROCESSOR:
        most = machine.processors * _PER_PROCESSOR
        found = f"{len(workers)} workers are wanted, and the machine can run {most}: {_PER_PROCESSOR} for each CPU."
        remedy = f"Set fewer `workers` in {wanted.project.file}. Nothing was changed."
        raise PreflightError(found, remedy=remedy)


def _too_much_memory(wanted: Wanted, memory: int) -> PreflightError:
    """Speak of the pool that may use the most."""
    spec, needed = wanted.project.spec, _memory_of(_lasting(wanted))
    pool = max(spec.pools, key=lambda name: _memory_of(wanted.stack.workers(name)))
    others = needed - _memory_of(wanted.stack.workers(pool))
    fitting = max(memory - others, 0) // (mebibytes(spec.pools[pool].memory) * _MIB)
    found = (
        f"The platform may use {_gibibytes(needed)} of memory, and the machine has {_gibibytes(memory)}: "
        f"{spec.pools[pool].workers} workers of {pool!r} may use {spec.pools[pool].memory} each."
    )
    where = f"under [pools.{pool}] in {wanted.project.file}"
    return PreflightError(
        found, remedy=f"{fitting} of them fit. Set fewer `workers` or a smaller `memory` {where}. Nothing was changed."
    )


def _lasting(wanted: Wanted) -> list[Service]:
    return [service for service in wanted.stack.services if not service.is_oneshot and not service.is_spare]


def _memory_of(services: Iterable[Service]) -> int:
    return sum(mebibytes(service.limits.memory) for service in services) * _MIB


def _gibibytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
