"""What is checked before anything is changed."""

from platformctl.errors import PreflightError
from platformctl.model.database import database_volume, majors_of_volume, postgres_major
from platformctl.model.observed import Observed
from platformctl.plan.resources.flows import DescribeFlows
from platformctl.plan.resources.image import BuildImage, PullImage
from platformctl.plan.resources.service import StartServices
from platformctl.plan.room import check_room
from platformctl.plan.step import Plan
from platformctl.plan.wanted import Wanted
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.prefect_yaml.parameters import check_flows
from platformctl.stack.names import DATABASE, SERVER
from platformctl.state.secrets import API_PASSWORD, DATABASE_PASSWORD


def check_preconditions(plan: Plan, wanted: Wanted, observed: Observed, runtime: Runtime) -> None:
    """Raise SpecError, EngineError or PreflightError where the plan can't be carried out here; changes nothing."""
    if any(isinstance(step.change, BuildImage | DescribeFlows) for step in plan.steps):
        check_flows(wanted.project)
    if wanted.stack.owns_database:
        _check_major(wanted, observed)
    _check_processors(wanted, observed)
    if lost := find_lost_secrets(wanted, observed, runtime):
        raise lost
    check_room(wanted, observed.machine)
    runtime.check_tools()
    for image in _images(plan):
        runtime.check_image(image)
    started = [name for step in plan.steps if isinstance(step.change, StartServices) for name in step.change.services]
    if SERVER in started:
        runtime.check_machine()


def _check_major(wanted: Wanted, observed: Observed) -> None:
    """PostgreSQL reads the data of its own major only: another one refuses it, or begins an empty database."""
    spec, machine = wanted.project.spec, observed.machine
    volume = f"{spec.platform.name}_{database_volume(spec.database.major)[0]}"
    ran = {major: found.image for found in machine.of_service(DATABASE) if (major := postgres_major(found.image))}
    others = [name for name in machine.databases if name != volume]
    is_there = volume in machine.databases
    if (others and not is_there) or (is_there and ran and spec.database.major not in ran):
        data = volume if is_there else others[0]
        major, image = next(iter(ran.items()), (None, ""))
        found = f"PostgreSQL {spec.database.major} can't read the data of {spec.platform.name!r}"
        before = f'image = "{image}"' if image else "image to one of that version"
        remedy = (
            f"Set {before} under [database] in {wanted.project.file.name}. To move the data to another version, dump "
            "and restore it: docs/upgrades.md has the steps."
        )
        raise PreflightError(
            f"{found}: the volume {data} was made by PostgreSQL {major or majors_of_volume(data)}.", remedy=remedy
        )


def _check_processors(wanted: Wanted, observed: Observed) -> None:
    """An engine starts nothing that may use more processors than its machine has, and what it was to replace is gone by then."""
    there = observed.machine.processors
    asked = {found.name: found.limits.cpus for found in wanted.stack.services if found.limits.cpus}
    name = max(asked, key=asked.__getitem__, default=None)
    if name and there is not None and asked[name] > there:
        found = f"{name} may use {asked[name]:g} processors (`cpus`), and the machine has {there}."
        raise PreflightError(found, remedy=f"Set `cpus` to at most {there} in {wanted.project.file}.")


def _images(plan: Plan) -> list[str]:
    """The images that come from outside: those to pull, and what is built on."""
    pulled = [step.change.image for step in plan.steps if isinstance(step.change, PullImage)]
    built_on = [step.change.base for step in plan.steps if isinstance(step.change, BuildImage)]
    return list(dict.fromkeys(pulled + built_on))


def find_lost_secrets(wanted: Wanted, observed: Observed, runtime: Runtime) -> PreflightError | None:
    """Return what is to be said where secrets of the platform are missing that it was made with; None where none are.

    New ones would lock platformctl out of the server that runs, and the server out of the database that it has.
    """
    project, data = wanted.project, list(observed.machine.databases)
    if wanted.stack.owns_database and data and DATABASE_PASSWORD in observed.unwritten_secrets:
        return _lost_database(wanted, data[0], runtime.home())
    runs_server = any(instance.role == "server" for instance in observed.machine.instances)
    if runs_server and API_PASSWORD in observed.unwritten_secrets:
        found = f"The server of {project.spec.platform.name!r} runs, and its password is not in {project.secrets}."
        remedy = f"Restore {project.secrets}, or type `platformctl down` first: the next `up` makes a new one."
        return PreflightError(found, remedy=remedy)
    return None


def _lost_database(wanted: Wanted, volume: str, home: str | None) -> PreflightError:
    project = wanted.project
    is_elsewhere = home is not None and not home.startswith(str(project.root))
    where = f", started from {home}" if is_elsewhere else ""
    source = (
        "the folder where the platform was started, or choose another platform.name" if is_elsewhere else "your copy"
    )
    name = project.spec.platform.name
    found = f"The database of {name!r} exists (volume {volume}{where}), and its password is not in {project.secrets}."
    fresh = "To delete the data and begin again, type `platformctl down --volumes`."
    remedy = f"Restore {project.secrets} from {source}. {fresh}"
    return PreflightError(found, remedy=remedy)
