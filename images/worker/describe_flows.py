"""Say what the flows that deployments name are, each loaded as Prefect loads it, in the environment of its pool.

Usage: describe_flows.py REQUEST.json, with `pools`: a list of `environment` and `flows`, each with `key`, `entrypoint`,
`name` and `triggers`. Writes a line for each flow, `flow: ` and JSON: what a deployment has from it, or its `error`.
"""

import gc
import json
import os
import sys
import traceback
from pathlib import Path
from uuid import UUID

os.environ.setdefault("DO_NOT_TRACK", "1")


def describe(asked):
    """Return what a deployment has from its flow; raises whatever the flow's code does."""
    from prefect.flows import load_flow_from_entrypoint  # noqa: PLC0415  # once nothing is collected any more
    from prefect.utilities.callables import parameter_schema  # noqa: PLC0415

    flow = load_flow_from_entrypoint(asked["entrypoint"], use_placeholder_flow=False)
    return {
        "flow": flow.name,
        "description": flow.description,
        "version": flow.version,
        "schema": parameter_schema(flow).model_dump(mode="json", exclude_unset=True),
        "automations": automations(asked),
    }


def automations(asked):
    """Return the automations that triggers ask for, of a deployment whose id isn't known yet."""
    from prefect.events import DeploymentTriggerTypes  # noqa: PLC0415
    from pydantic import TypeAdapter  # noqa: PLC0415

    found = []
    for number, trigger in enumerate(asked["triggers"], 1):
        named = {"name": f"{asked['name']}__automation_{number}", **trigger}
        read = TypeAdapter(DeploymentTriggerTypes).validate_python(named)
        read.set_deployment_id(UUID(int=0))
        found.append(read.as_automation().model_dump(mode="json"))
    return found


def explain(error, entrypoint):
    """Return the last lines of a traceback, without the frames of this script and of Prefect's loader, which wraps the error."""
    error = getattr(error, "user_exc", error)
    own = Path(entrypoint.rpartition(":")[0]).resolve()
    frames = error.__traceback__
    while frames and Path(frames.tb_frame.f_code.co_filename).resolve() != own:
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames or error.__traceback__, chain=False)
    return "".join(lines).strip()


def describe_pool(pool, lines):
    """Write a line for each flow of a pool."""
    os.environ.update(pool["environment"])
    for asked in pool["flows"]:
        try:
            found = describe(asked)
        except (Exception, SystemExit) as error:
            found = {"error": explain(error, asked["entrypoint"])}
        lines.write(f"flow: {json.dumps({'key': asked['key'], **found})}\n")
    lines.flush()


def main(file):
    """Describe the flows of each pool in a process of its own; what they print themselves goes to stderr."""
    import prefect.flows  # noqa: F401, PLC0415  # for all of them

    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[0] = str(Path.cwd())
    for pool in json.loads(Path(file).read_text())["pools"]:
        child = os.fork()
        if not child:
            describe_pool(pool, lines)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(f"the process that described flows ended with code {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    gc.disable()  # what is imported stays
    main(sys.argv[1])
    sys.stderr.flush()
    os._exit(0)  # nothing is left to do, and an interpreter's end takes long
