"""The end of a flow run that was watched."""

from platformctl.adapters.prefect.ports import Api
from platformctl.errors import RunError


def finish_run(api: Api, id_: str) -> None:
    """Raise RunError unless a flow run Completed."""
    run = api.run(id_)
    if run.state_type != "COMPLETED":
        said = api.run_message(id_)
        remedy = f"Its log is at {api.url.removesuffix('/api')}/runs/flow-run/{id_}"
        raise RunError(f"{run.name} is {run.state_name}{': ' + said if said else '.'}", remedy=remedy)
