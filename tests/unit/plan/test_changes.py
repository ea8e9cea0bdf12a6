"""Each change makes one call on the outside world: which one, and with what."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from platformctl.model.observed import WorkPool
from platformctl.plan.resources import CHANGES
from platformctl.plan.resources.automation import RemoveAutomation
from platformctl.plan.resources.deployment import (
    CreateDeployment,
    ForgetFormer,
    RemoveDeployment,
    SetTriggers,
    UpdateDeployment,
)
from platformctl.plan.resources.drain import PausePool, ResumePool
from platformctl.plan.resources.flows import DescribeFlows, RecordImages
from platformctl.plan.resources.image import PullImage
from platformctl.plan.resources.instance import StopInstances
from platformctl.plan.resources.network import RemoveNetwork
from platformctl.plan.resources.old_image import RemoveImage
from platformctl.plan.resources.pool import AddJobVariables, CreatePool, UpdatePool
from platformctl.plan.resources.results import CopyResults
from platformctl.plan.resources.run import SettleRun
from platformctl.plan.resources.schedule import CreateSchedule, RemoveSchedule, UpdateSchedule
from platformctl.plan.resources.service import StartServices
from platformctl.plan.resources.volume import RemoveVolume
from platformctl.plan.resources.worker import ForgetWorker
from platformctl.plan.step import Change
from platformctl.plan.world import World
from prefect_warm_worker.contract import LostRunOutcome

POOL = WorkPool("prod", "warm", 4, "", is_paused=False)
CALLS: list[tuple[Change, str]] = [
    (PullImage("postgres:17"), "runtime.pull('postgres:17', note)"),
    (StartServices(("server",)), "runtime.start(('server',), recreate=False)"),
    (StartServices(("server",), recreate=True), "runtime.start(('server',), recreate=True)"),
    (StopInstances(("a", "b"), 30), "runtime.stop(('a', 'b'), grace=30)"),
    (CopyResults("worker-dev-1", "acme_results"), "runtime.copy_results('worker-dev-1', 'acme_results')"),
    (DescribeFlows("etl"), "describe_flows('etl')"),
    (CreateDeployment("hello", {"name": "a"}), "api.definitions.create('hello', {'name': 'a'})"),
    (UpdateDeployment("d1", {"tags": []}), "api.definitions.update('d1', {'tags': []})"),
    (SetTriggers("d1", ()), "api.definitions.set_automations('d1', ())"),
    (CreateSchedule("d1", {"slug": "a"}), "api.definitions.create_schedule('d1', {'slug': 'a'})"),
    (UpdateSchedule("d1", "s1", {"slug": "a"}), "api.definitions.update_schedule('d1', 's1', {'slug': 'a'})"),
    (RemoveSchedule("d1", "s1"), "api.definitions.delete_schedule('d1', 's1')"),
    (RemoveDeployment("d1"), "api.definitions.delete('d1')"),
    (ForgetFormer(), "api.definitions.forget_former()"),
    (RemoveNetwork("acme_data"), "runtime.remove_network('acme_data')"),
    (RemoveImage("acme/etl:1"), "runtime.remove_image('acme/etl:1')"),
    (RemoveVolume("acme_database"), "runtime.remove_volume('acme_database')"),
    (CreatePool(POOL), f"client.create_pool({POOL})"),
    (UpdatePool("prod", {"is_paused": True}), "client.update_pool('prod', {'is_paused': True})"),
    (AddJobVariables("prod", ("memory_limit",)), "client.add_job_variables('prod', ('memory_limit',))"),
    (RemoveAutomation("a1"), "api.delete_automation('a1')"),
    (RecordImages({"a": "1"}), "api.definitions.record_images({'a': '1'})"),
    (PausePool("prod"), "api.set_paused('prod', is_paused=True)"),
    (ResumePool("prod"), "api.set_paused('prod', is_paused=False)"),
    (SettleRun("r1", "s1", "crash", "why"), f"api.settle_run('r1', 's1', {LostRunOutcome.CRASH!r}, 'why')"),
    (ForgetWorker("prod", "acme-worker-prod-1"), "api.delete_worker('prod', 'acme-worker-prod-1')"),
]
CLIENT = (CreatePool, UpdatePool, AddJobVariables)


@dataclass(repr=False)
class Recorder:
    """A world of which every call is written down."""

    path: str = ""
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> "Recorder":
        return Recorder(f"{self.path}.{name}".lstrip("."), self.calls)

    def __repr__(self) -> str:
        return self.path

    def __call__(self, *words: Any, **options: Any) -> None:  # noqa: ANN401  # whatever the call takes
        shown = [repr(word) for word in words] + [f"{name}={value!r}" for name, value in options.items()]
        self.calls.append(f"{self.path}({', '.join(shown)})")


@pytest.mark.parametrize(("change", "call"), CALLS, ids=[type(change).__name__ for change, _ in CALLS])
def test_a_change_makes_its_call(change: Change, call: str) -> None:
    world = Recorder()

    change.apply(cast("World", world))

    assert world.calls == [call]


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_says_whether_it_needs_prefects_client(kind: type[Change]) -> None:
    assert kind.needs_client == (kind in CLIENT)
