"""A plan as JSON and back, for programs that read it and for what must outlive the command that made it."""

import json
from typing import Any

from pydantic import TypeAdapter

from platformctl.plan.resources import CHANGES
from platformctl.plan.step import Action, Change, Plan, Step

_KINDS = {kind.__name__: kind for kind in CHANGES}


def plan_content(plan: Plan) -> list[dict[str, Any]]:
    """Return a plan as JSON has it: a list of steps, each change with the name of its kind."""
    return [_step_content(step) for step in plan.steps]


def write_plan(plan: Plan) -> str:
    """Return a plan as JSON."""
    return json.dumps(plan_content(plan), indent=2)


def read_plan(text: str) -> Plan:
    """Read a plan that was written; raises ValueError for what isn't one."""
    return Plan(tuple(_read(item) for item in json.loads(text)))


def _step_content(step: Step) -> dict[str, Any]:
    kind = type(step.change)
    change = {"kind": kind.__name__, **TypeAdapter(kind).dump_python(step.change, mode="json")}
    return {"resource": step.resource, "action": str(step.action), "cause": step.cause, "change": change}


def _read(item: dict[str, Any]) -> Step:
    fields = dict(item["change"])
    kind = fields.pop("kind")
    if kind not in _KINDS:
        raise ValueError(f"no change is of the kind {kind!r}")
    change: Change = TypeAdapter(_KINDS[kind]).validate_python(fields)
    return Step(item["resource"], Action(item["action"]), item["cause"], change)
