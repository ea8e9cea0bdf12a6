"""What `describe_flows.py` writes, in an image as in an environment."""

import json
from collections.abc import Callable

from platformctl.errors import ServiceError
from platformctl.model.deployment import Described, FlowDescription
from platformctl.runtimes.runtime import Line
from platformctl.stack.images.context import TOOLS

SCRIPT = f"{TOOLS}describe_flows.py"
"""Where a build context has it."""
_SIGN = "flow: "


def read_described(image: str, run: Callable[[Line], None], report: Line) -> Described:
    """Return what the flows of an image are, by what a run of the script writes.

    run: has it report each line; the others are passed on. Raises ServiceError for a flow that can't be loaded.
    """
    found: list[dict[str, object]] = []

    def read(line: str) -> None:
        if line.startswith(_SIGN):
            found.append(json.loads(line.removeprefix(_SIGN)))
        else:
            report(line)

    run(read)
    if failed := [each for each in found if "error" in each]:
        raise not_loaded(image, str(failed[0]["key"]), str(failed[0]["error"]), len(failed) - 1)
    return {str(each.pop("key")): FlowDescription(**each) for each in found}  # type: ignore[arg-type]  # as the script says


def not_loaded(image: str, key: str, error: str, others: int) -> ServiceError:
    """Return the error of a flow that Prefect can't load. key: of its deployment. others: how many more there are."""
    lines = "\n".join(f"  {line}" for line in error.splitlines()[-12:])
    entrypoint, _, name = key.rpartition("/")
    more = f"\n{others} more can't." if others else ""
    remedy = (
        f"Correct the flow, or add what it imports to the dependencies of [images.{image}]. Then type `platformctl up`."
    )
    return ServiceError(
        f"{entrypoint} of the deployment {name!r} can't be loaded in the image {image!r}:\n{lines}{more}", remedy=remedy
    )
