"""Deployments: as the image's flows are, and as Prefect holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]
MARK = "x-platformctl"
"""The key of a deployment's parameter schema that says what it was deployed from.

Prefect can't change the labels of a deployment that is there: only creating it anew would, which replaces its schedules.
"""
SCHEMA = "parameter_openapi_schema"
ITSELF = "00000000-0000-0000-0000-000000000000"
"""What stands for the deployment's id in an automation that is yet to be made."""


@dataclass(frozen=True, slots=True)
class FlowDescription:
    """What a deployment has from its flow's code. schema: of its parameters. automations: those that its triggers ask for."""

    flow: str
    description: str | None
    version: str | None
    schema: Json
    automations: Sequence[Json] = ()


@dataclass(frozen=True, slots=True)
class LiveDeployment:
    """A deployment as Prefect has it. fields, schedules: as Prefect names them. schema: of its parameters, without the mark.

    mark: what it was deployed from; None where it wasn't by platformctl.
    """

    id: str
    flow: str
    name: str
    fields: Json
    schedules: tuple[Json, ...] = ()
    schema: Json = field(default_factory=dict)
    mark: Json | None = None

    @property
    def whole_name(self) -> str:
        """FLOW/DEPLOYMENT."""
        return f"{self.flow}/{self.name}"

    @property
    def key(self) -> str:
        """What prefect.yaml calls it: the entrypoint and the name."""
        return f"{self.fields.get('entrypoint')}/{self.name}"


Described = Mapping[str, FlowDescription]
"""By a deployment's key."""
