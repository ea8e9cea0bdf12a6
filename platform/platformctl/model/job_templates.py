"""The job templates of work pools: what a pool and its deployments can set of a flow run's job.

Prefect's server knows that of its own types of workers. A pool keeps the template that it was made with, so one that was made
for another type, or by an older platformctl, lacks what warm workers know by now.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

from platformctl.assets import asset_path

Template = Mapping[str, Any]


def own_template(type_: str) -> Template | None:
    """Return the template of a type that Prefect's server doesn't know; None where that is for the server to say."""
    file = asset_path("templates") / "pools" / f"{type_}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def lacking_variables(template: Template) -> tuple[str, ...]:
    """Return the job variables of warm workers that a template lacks; none where it is empty, and still to be made."""
    own = _variables(own_template("warm") or {})
    return tuple(name for name in own if name not in _variables(template)) if template else ()


def with_variables(template: Template, names: tuple[str, ...]) -> Template:
    """Return a template with some of the job variables of warm workers more, and all else as it was."""
    own, completed = own_template("warm") or {}, copy.deepcopy(dict(template))
    properties = completed.setdefault("variables", {}).setdefault("properties", {})
    properties |= {name: _variables(own)[name] for name in names}
    configuration = completed.setdefault("job_configuration", {})
    for name in names:
        configuration.setdefault(name, own["job_configuration"][name])
    return completed


def _variables(template: Template) -> Mapping[str, Any]:
    return (template.get("variables") or {}).get("properties") or {}
