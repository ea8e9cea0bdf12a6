"""What a declared deployment is in Prefect: the values of its fields and its schedules, in the words of Prefect's API."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from platformctl.errors import SpecError
from platformctl.model.deployment import Json
from platformctl.spec.prefect_yaml.check import without_notes
from platformctl.spec.prefect_yaml.declared import Declared, Schedule
from platformctl.spec.prefect_yaml.templates import fill_references
from platformctl.spec.prefect_yaml.yaml_text import canonical_json
from platformctl.spec.problems import problems_of
from platformctl.stack.deployments import Deployment


@dataclass(frozen=True, slots=True)
class Definition:
    """What a deployment is to be. fields: all that is compared, as Prefect names it.

    A description and a version are the flow's own unless they are declared, and a pause is left alone. schedules: None
    where none were ever declared. secret: the fields of which a value comes from a block, as they are declared: no plan shows it.
    """

    fields: Json
    schedules: Sequence[Json] | None
    secret: Json = field(default_factory=dict)


def define(deployment: Deployment, references: Mapping[str, object]) -> Definition:
    """Return what a deployment is to be. references: what those to variables and blocks of Prefect stand for.

    Raises SpecError for one that stands for nothing, and for a value that doesn't fit where it stands.
    """
    if lost := sorted(deployment.references - references.keys()):
        remedy = f"Create it in Prefect, or correct {deployment.name} in prefect.yaml."
        raise SpecError(
            f"The deployment {deployment.name!r} refers to {lost[0]}, which isn't in Prefect.", remedy=remedy
        )
    entry = without_notes(fill_references(deployment.entry, references))
    try:
        declared = Declared.model_validate(entry)
    except ValidationError as error:
        said = "; ".join(problem.message for problem in problems_of(error, Declared))
        remedy = "Correct the variable or the block of Prefect that it refers to, or prefect.yaml."
        raise SpecError(f"The deployment {deployment.name!r}: {said}", remedy=remedy) from error
    return Definition(_plain(_fields(deployment, declared)), _schedules(declared), _secret(deployment))


def _fields(deployment: Deployment, declared: Declared) -> dict[str, Any]:
    pool, limit = declared.work_pool, declared.concurrency_limit
    strategy = limit.collision_strategy if limit else None
    grace = limit.grace_period_seconds if limit else None
    options = {"collision_strategy": strategy or "ENQUEUE"} | ({"grace_period_seconds": grace} if grace else {})
    own = {"description": declared.description, "version": declared.version}
    return {
        "entrypoint": declared.entrypoint,
        "work_pool_name": pool.name,
        "work_queue_name": pool.work_queue_name or "default",
        "parameters": declared.parameters or {},
        "tags": declared.tags or [],
        "job_variables": pool.job_variables or {},
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": options if strategy or grace else None,
        "enforce_parameter_schema": declared.enforce_parameter_schema is not False,
        "pull_steps": list(deployment.pull),
        **{key: value for key, value in own.items() if value},
        **({} if declared.paused is None else {"paused": declared.paused}),
    }


def _schedules(declared: Declared) -> tuple[Json, ...] | None:
    if declared.schedules is None and declared.schedule is None:
        return None
    return tuple(_schedule(each) for each in declared.schedules or ([declared.schedule] if declared.schedule else []))


def _schedule(declared: Schedule) -> Json:
    """A schedule with what is declared of it, and nothing else."""
    interval = declared.interval.total_seconds() if declared.interval else None
    when = {
        "cron": declared.cron,
        "interval": interval,
        "rrule": declared.rrule,
        "timezone": declared.timezone,
        "anchor_date": declared.anchor_date,
        "day_or": declared.day_or,
    }
    found = {
        "schedule": {key: value for key, value in when.items() if value is not None},
        "active": declared.active,
        "parameters": declared.parameters or None,
        "slug": declared.slug,
        "replaces": declared.replaces,
    }
    return dict(_plain({key: value for key, value in found.items() if value is not None}))


def _secret(deployment: Deployment) -> Json:
    declared = {**deployment.entry, "job_variables": deployment.entry["work_pool"].get("job_variables")}
    kept = {
        key: value
        for key, value in declared.items()
        if key not in ("work_pool", "schedules", "schedule", "triggers", "pull")
    }
    return {key: _plain(value) for key, value in kept.items() if "prefect.blocks." in canonical_json(value)}


def _plain(value: Any) -> Any:  # noqa: ANN401  # what YAML holds
    """The same as JSON has it: dates are texts there."""
    return json.loads(canonical_json(value))
