"""Work pools: created where Prefect lacks them; of the others only the fields that differ are changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, get_args

from platformctl.errors import SpecError
from platformctl.model.observed import Observed, WorkPool
from platformctl.model.spec import Pool, WorkerType
from platformctl.plan.causes import unknown_cause
from platformctl.plan.step import Action, Step
from platformctl.plan.wanted import Wanted
from platformctl.plan.world import World

Field = int | str | bool | None


@dataclass(frozen=True, slots=True)
class CreatePool:
    """Create a work pool."""

    needs_client: ClassVar[bool] = True
    pool: WorkPool

    def apply(self, world: World) -> None:
        """Have Prefect's client create it."""
        world.client.create_pool(self.pool)


@dataclass(frozen=True, slots=True)
class UpdatePool:
    """Change some fields of a work pool, named as Prefect names them."""

    needs_client: ClassVar[bool] = True
    name: str
    fields: Mapping[str, Field]

    def apply(self, world: World) -> None:
        """Have Prefect's client change them."""
        world.client.update_pool(self.name, self.fields)


@dataclass(frozen=True, slots=True)
class AddJobVariables:
    """Have a pool's job template know some variables of warm workers more; all else of it stays."""

    needs_client: ClassVar[bool] = True
    name: str
    variables: tuple[str, ...]

    def apply(self, world: World) -> None:
        """Have Prefect's client add them."""
        world.client.add_job_variables(self.name, self.variables)


def pool_steps(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Create or change pools; raises SpecError for one that Prefect has with another type."""
    there = observed.prefect.pools if observed.prefect else {}
    for name, pool in wanted.project.spec.pools.items():
        if name not in there:
            cause = unknown_cause(observed) or "not in Prefect"
            yield Step(f"pool {name}", Action.CREATE, cause, CreatePool(_new(name, pool)))
        else:
            yield from _changed_pool_steps(there[name], pool)


def _changed_pool_steps(there: WorkPool, pool: Pool) -> Iterator[Step]:
    _check_type(there, pool)
    if differing := _differing(there, pool):
        cause = ", ".join(f"{key} {_show(old)} -> {_show(new)}" for key, (old, new) in differing.items())
        fields = {key: new for key, (_, new) in differing.items()}
        yield Step(f"pool {there.name}", Action.UPDATE, cause, UpdatePool(there.name, fields))
    if there.missing_variables and pool.type == "warm":
        cause = f"its job template lacks {', '.join(there.missing_variables)}"
        yield Step(f"pool {there.name}", Action.UPDATE, cause, AddJobVariables(there.name, there.missing_variables))


def _new(name: str, pool: Pool) -> WorkPool:
    return WorkPool(name, pool.type, pool.limit, pool.description, is_paused=bool(pool.paused))


def _check_type(there: WorkPool, pool: Pool) -> None:
    """Prefect can't change a pool's type. Warm and process workers serve one another's pools: such a one stays as it was made."""
    if there.type in get_args(WorkerType):
        return
    found = f"The pool {there.name!r} has the type {there.type!r} in Prefect, which {pool.type} workers can't serve."
    remedy = f"Type `platformctl pools delete {there.name}` to delete it with its queues, or give it another name."
    raise SpecError(found, remedy=remedy)


def _differing(there: WorkPool, pool: Pool) -> Mapping[str, tuple[Field, Field]]:
    """Field to its old and new value."""
    compared: dict[str, tuple[Field, Field]] = {
        "concurrency_limit": (there.limit, pool.limit),
        "description": (there.description, pool.description),
    }
    if pool.paused is not None:
        compared["is_paused"] = (there.is_paused, pool.paused)
    return {key: (old, new) for key, (old, new) in compared.items() if old != new}


def _show(value: Field) -> str:
    return "none" if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)
