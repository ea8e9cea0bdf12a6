"""What a command says at its end: the address and what to type next, the status."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.filesize import decimal

from platformctl.commands.change import Outcome
from platformctl.commands.prune import OldImage
from platformctl.commands.status import ImageStatus, PoolStatus, Status
from platformctl.commands.workspace import Workspace
from platformctl.plan.step import Plan
from platformctl.state.secrets import API_PASSWORD, USER, read_secrets
from platformctl_cli.display import out, show_edits, show_table


def show_outcome(outcome: Outcome, command: str, *, is_up: bool = False) -> None:
    """Say what changed, where the platform is, how to log in, and what to type next.

    command: how this platform is addressed, such as `platformctl -C DIR`. is_up: whether it was brought up, and is to be shown.
    """
    show_edits(outcome.edited)
    if outcome.plan is None:
        out.print(f"The platform isn't running. `{command} up` starts it with these settings.")
        return
    if not outcome.plan.has_changes:
        out.print("Nothing to do: the platform is what platform.toml says.")
    elif is_up:
        _show_access(outcome, command)


def show_done(plan: Plan) -> None:
    """Say how much was done of deployments."""
    if not plan.has_changes:
        out.print("Nothing to do: the deployments are what prefect.yaml says.")
        return
    out.print(f"\n{len(plan.steps)} steps done. `platformctl run FLOW/DEPLOYMENT --watch` starts a flow run.")


def _show_access(outcome: Outcome, command: str) -> None:
    out.print()
    out.print(f"  Prefect    {outcome.project.server_url}", markup=False)
    out.print(f"  user       {USER}", markup=False)
    for line in _password(outcome):
        out.print(line, markup=False)
    out.print()
    following = [(f"{command} {words}", what) for words, what in _next(outcome)]
    width = max(len(typed) for typed, _ in following)
    for typed, what in following:
        out.print(f"  {typed:<{width}}   {what}", markup=False)


def _password(outcome: Outcome) -> list[str]:
    """A new one is shown to who sits at a terminal; what else reads it, a log of CI say, would keep it."""
    folder = outcome.project.secrets
    file = folder / API_PASSWORD
    if not outcome.made_secrets:
        return [f"  password   in {file}"]
    asked = f"the UI asks for {USER}:PASSWORD"
    if not sys.stdout.isatty():
        return [f"  password   in {file}; {asked}"]
    password = read_secrets(folder).api_password.get_secret_value()
    return [f"  password   {password}", f"             kept in {file}; {asked}"]


def _next(outcome: Outcome) -> list[tuple[str, str]]:
    pools = list(outcome.project.spec.pools)
    if not pools:
        return [("pools create dev", "add a work pool and its workers")]
    return [
        ("status", "what runs"),
        ("run FLOW/DEPLOYMENT --watch", "start a flow run and follow it"),
        (f"scale {pools[0]}=4", "more workers"),
    ]


def show_status(status: Status, secrets: Path) -> None:
    """Print a status: a line for each part, how to log in, and a table of the pools. secrets: their folder."""
    version = f", Prefect {status.server.version}" if status.server.version else ""
    runs = f"{status.runs.running} running, {status.runs.pending} pending, {status.runs.cancelling} cancelling"
    for name, value in (
        ("platform", f"{status.name} on {status.runtime}"),
        ("address", status.server.url),
        ("login", f"{USER}, password in {secrets / API_PASSWORD}"),
        ("server", f"{status.server.state}{version}"),
        ("database", f"{status.database.state}, {status.database.name}"),
        ("flow runs", runs),
        *((f"image {image.name}", _image(image)) for image in status.images),
    ):
        out.print(f"{name:<16} {value}", markup=False)
    if status.pools:
        out.print()
        rows = [(pool.name, pool.type, _workers(pool), pool.limit, pool.state) for pool in status.pools]
        show_table(("pool", "type", "workers online", "limit", "state"), rows)
    if status.problem:
        out.print(f"\n{status.problem}\nNext:  {status.remedy}", markup=False)


def _image(image: ImageStatus) -> str:
    """The tag that runs, and the one that is wanted where it is another one."""
    wanted = image.tag + ("" if image.built else " (not built)")
    if not image.running or image.running == (image.tag,):
        return wanted
    return f"{', '.join(image.running)} runs; {wanted} is wanted"


def _workers(pool: PoolStatus) -> str:
    return f"{pool.workers_online} of {pool.workers_wanted}"


def show_old_images(images: Sequence[OldImage]) -> None:
    """Print the images that nothing uses, and how much their removal frees."""
    if not images:
        out.print("Nothing to remove: every image that was built is in use.")
        return
    show_table(
        ("image", "size", "its own"), [(image.reference, decimal(image.size), decimal(image.frees)) for image in images]
    )
    freed = decimal(sum(image.frees for image in images))
    out.print(f"\nRemoving them frees at least {freed}, and the layers that only they share.")


def typed_command(workspace: Workspace) -> str:
    """Return what to type before a command for it to be about the same platform."""
    folder = "" if workspace.folder == Path() else f" -C {workspace.folder}"
    return f"platformctl{folder}" + (f" --env {workspace.env}" if workspace.env else "")
