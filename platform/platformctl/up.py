"""`up`, and every other command that brings a platform to what its files want: plan, then act."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from platformctl.lock import locked
from platformctl.plan.execute import execute, preload_client
from platformctl.plan.observe import observe
from platformctl.plan.reconcile import reconcile
from platformctl.plan.report import Note, Report
from platformctl.plan.step import Plan, StartService, WriteSecrets
from platformctl.plan.wanted import Wanted, load_wanted
from platformctl.preflight import check_ready
from platformctl.runtimes.choose import choose_runtime
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.edit import Value, edit_keys
from platformctl.spec.load import Project, load_project
from platformctl.spec.problems import KeyPath

Edits = Callable[[Project], Mapping[KeyPath, Value]]
Edit = Callable[[Project], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: the lines of platform.toml that it changed, and the plan that it carried out.

    plan is None where only platform.toml was changed, because nothing of the platform is there.
    """

    project: Project
    edited: tuple[str, ...]
    plan: Plan | None

    @property
    def made_secrets(self) -> bool:
        """Whether the platform's passwords are new."""
        return self.plan is not None and any(isinstance(step.change, WriteSecrets) for step in self.plan.steps)


def up(folder: Path, env: str | None, report: Report, *, edits: Edits | None = None) -> Outcome:
    """Bring the platform of a folder to what its files want, and wait until every worker is online in Prefect.

    edits: changes to platform.toml that come first. Raises PlatformError; typed again, it goes on from where it was.
    """
    edit = key_edit(edits) if edits else lambda _: ()
    with _locked(folder, env, "platformctl up", report):
        edited = _edit(folder, env, edit)
        wanted = load_wanted(load_project(folder, env))
        return Outcome(wanted.project, edited, _converge(wanted, choose_runtime(wanted.project), report))


def change(folder: Path, env: str | None, report: Report, *, command: str, edit: Edit) -> Outcome:
    """Change platform.toml, and bring the platform to it where there is one. Raises PlatformError."""
    with _locked(folder, env, command, report):
        edited = _edit(folder, env, edit)
        wanted = load_wanted(load_project(folder, env))
        runtime = choose_runtime(wanted.project)
        if not runtime.observe([]).containers:
            return Outcome(wanted.project, edited, None)
        return Outcome(wanted.project, edited, _converge(wanted, runtime, report))


def key_edit(edits: Edits) -> Edit:
    """Return the edit that sets keys of platform.toml, or of the overlay that is chosen."""
    return lambda project: tuple(edit_keys(project.root, project.env, edits(project)))


def preview(folder: Path, env: str | None) -> Plan:
    """Return the plan that `up` would carry out; changes nothing."""
    wanted = load_wanted(load_project(folder, env))
    return reconcile(wanted, observe(wanted, choose_runtime(wanted.project)))


def _locked(folder: Path, env: str | None, command: str, report: Report) -> AbstractContextManager[None]:
    state = load_project(folder, env).state
    return locked(state, command, waiting=lambda who: report(Note(f"Waiting for {who} to finish.")))


def _edit(folder: Path, env: str | None, edit: Edit) -> tuple[str, ...]:
    """Change platform.toml, unless what would come of it isn't a spec: then it is left as it was."""
    project = load_project(folder, env)
    before = project.file.read_bytes()
    try:
        lines = edit(project)
        load_wanted(load_project(folder, env))
    except BaseException:
        if project.file.read_bytes() != before:
            project.file.write_bytes(before)
        raise
    return lines


def _converge(wanted: Wanted, runtime: Runtime, report: Report) -> Plan:
    """First what leads to a server that answers, then what it turns out to lack."""
    observed = observe(wanted, runtime)
    plan = reconcile(wanted, observed)
    if not plan.changes:
        return plan
    check_ready(plan, wanted, observed, runtime)
    foundation = plan.foundation
    if not any(isinstance(step.change, StartService) for step in foundation.steps):
        execute(plan, wanted.project, runtime, report)
        return plan
    preload_client()
    execute(foundation, wanted.project, runtime, report)
    rest = reconcile(wanted, observe(wanted, runtime))
    execute(rest, wanted.project, runtime, report)
    return Plan((*foundation.steps, *rest.steps))
