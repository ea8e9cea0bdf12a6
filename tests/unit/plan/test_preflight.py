"""What is refused before anything is changed: what would lock a platform out of its data, or can't start here."""

from dataclasses import replace
from pathlib import Path

import pytest

from platformctl.adapters.prefect.fake import FakePrefect
from platformctl.errors import PreflightError
from platformctl.model.observed import Machine, Observed
from platformctl.plan.command_phases import up_phases
from platformctl.plan.phases import plan_phases
from platformctl.plan.preflight import check_preconditions
from platformctl.plan.step import Plan
from platformctl.plan.wanted import Wanted
from platformctl.runtimes.fake import FakeRuntime
from projects import SPEC, load_docker, write_project
from worlds import NOON, everything, nothing


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    spec = SPEC.replace("[pools.prod]", "cpus = 2.5\n\n[pools.prod]") + "cpus = 0.5\n"
    return load_docker(write_project(tmp_path / "acme", spec))


def runtime_of(wanted: Wanted, folder: Path | None = None) -> FakeRuntime:
    """Return an engine that runs the platform. folder: where it was started, if not in the project's."""
    instances = {held.name: held for held in everything(wanted).machine.instances}
    return FakeRuntime(FakePrefect(), instances=instances, folder=folder or wanted.project.root)


def check(wanted: Wanted, observed: Observed, runtime: FakeRuntime | None = None) -> Plan:
    """Check the plan of an `up`, and return it."""
    plan = plan_phases(up_phases(wanted), observed)
    check_preconditions(plan, wanted, observed, runtime or runtime_of(wanted))
    return plan


def holding(observed: Observed, *volumes: str) -> Observed:
    return replace(observed, machine=replace(observed.machine, volumes=dict.fromkeys(volumes, NOON)))


def without(observed: Observed, *secrets: str) -> Observed:
    return replace(observed, unwritten_secrets=secrets)


@pytest.mark.parametrize(
    "volumes", [(), ("acme_database-18",), ("acme_results-dev",), ("acme_database-18", "acme_database")]
)
def test_a_database_goes_on_with_its_own_data(wanted: Wanted, volumes: tuple[str, ...]) -> None:
    check(wanted, holding(everything(wanted), *volumes))


@pytest.mark.parametrize(("volume", "major"), [("acme_database", 17), ("acme_database-19", 19)])
def test_data_of_another_major_is_refused(wanted: Wanted, volume: str, major: int) -> None:
    observed = holding(everything(wanted), volume)
    instances = [replace(held, image=f"postgres:{major}") for held in observed.machine.instances]
    observed = replace(observed, machine=replace(observed.machine, instances=tuple(instances)))

    with pytest.raises(PreflightError) as failure:
        check(wanted, observed)

    assert failure.value.message == (
        f"PostgreSQL 18 can't read the data of 'acme': the volume {volume} was made by PostgreSQL {major}."
    )
    assert "docs/upgrades.md" in failure.value.remedy


@pytest.mark.parametrize(("volume", "majors"), [("acme_database", "14 to 17"), ("acme_database-19", "19")])
def test_data_of_a_database_that_does_not_run_is_told_by_its_volume(wanted: Wanted, volume: str, majors: str) -> None:
    with pytest.raises(PreflightError, match=f"the volume {volume} was made by PostgreSQL {majors}"):
        check(wanted, holding(nothing(), volume))


@pytest.mark.parametrize(("processors", "is_refused"), [(None, False), (2, True), (3, False)])
def test_more_processors_than_an_engine_has_are_refused(
    wanted: Wanted, processors: int | None, is_refused: bool
) -> None:
    observed = replace(nothing(), machine=Machine((), {}, (), frozenset(), None, processors))
    if not is_refused:
        check(wanted, observed)
        return
    with pytest.raises(
        PreflightError, match=r"^worker-dev-1 may use 2\.5 processors .*and the machine has 2"
    ) as failure:
        check(wanted, observed)
    assert failure.value.remedy == f"Set `cpus` to at most 2 in {wanted.project.file}."


def test_a_new_password_of_a_database_that_has_data_is_refused(wanted: Wanted, tmp_path: Path) -> None:
    observed = without(holding(nothing(), "acme_database-18"), "database_password")
    for home, where in ((tmp_path / "other", f", started from {tmp_path / 'other'}"), (wanted.project.root, "")):
        with pytest.raises(PreflightError) as failure:
            check(wanted, observed, runtime_of(wanted, home))
        secrets = wanted.project.secrets
        assert failure.value.message == (
            f"The database of 'acme' exists (volume acme_database-18{where}), and its password is not in {secrets}."
        )
        assert f"Restore {secrets}" in failure.value.remedy


def test_a_new_password_of_a_server_that_runs_is_refused(wanted: Wanted) -> None:
    with pytest.raises(PreflightError, match="The server of 'acme' runs, and its password is not in") as failure:
        check(wanted, without(everything(wanted), "api_password"))
    assert "`platformctl down` first" in failure.value.remedy


@pytest.mark.parametrize("secrets", [("database_password", "api_password"), ("api_password",)])
def test_passwords_are_made_where_nothing_has_them_yet(wanted: Wanted, secrets: tuple[str, ...]) -> None:
    check(wanted, without(holding(nothing(), "acme_results-dev"), *secrets))
    if "database_password" not in secrets:
        check(wanted, without(holding(nothing(), "acme_database-18"), *secrets))


def test_a_profile_that_is_to_be_mended_refuses_nothing(wanted: Wanted) -> None:
    check(wanted, without(everything(wanted), "server.toml"))


def test_images_that_are_to_come_from_outside_are_looked_for(wanted: Wanted) -> None:
    runtime = runtime_of(wanted)
    runtime.withdrawn = {"postgres:18"}
    check(wanted, everything(wanted), runtime)
    with pytest.raises(PreflightError, match="postgres:18 can't be pulled"):
        check(wanted, nothing(), runtime)


def test_the_machine_is_looked_at_where_a_server_is_to_start_and_only_there(wanted: Wanted) -> None:
    runtime = replace(runtime_of(wanted), refused=PreflightError("The port 4200 is taken.", remedy="Free it."))
    check(wanted, everything(wanted), runtime)
    with pytest.raises(PreflightError, match="The port 4200 is taken"):
        check(wanted, nothing(), runtime)
