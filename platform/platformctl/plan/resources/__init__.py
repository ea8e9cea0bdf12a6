"""One file for each kind of resource: what is wanted of it, what is there, the steps between, and how each is applied."""

from platformctl.plan.resources.automation import RemoveAutomation
from platformctl.plan.resources.bundle import WriteBundle
from platformctl.plan.resources.deployment import (
    CreateDeployment,
    ForgetFormer,
    RemoveDeployment,
    SetTriggers,
    UpdateDeployment,
)
from platformctl.plan.resources.drain import AwaitRuns, MarkDrain, PausePool, ResumePool, UnmarkDrain
from platformctl.plan.resources.flows import DescribeFlows, RecordImages
from platformctl.plan.resources.image import BuildImage, PullImage
from platformctl.plan.resources.instance import StopInstances
from platformctl.plan.resources.network import RemoveNetwork
from platformctl.plan.resources.old_image import RemoveImage
from platformctl.plan.resources.pool import AddJobVariables, CreatePool, UpdatePool
from platformctl.plan.resources.results import CopyResults
from platformctl.plan.resources.run import SettleRun
from platformctl.plan.resources.schedule import CreateSchedule, RemoveSchedule, UpdateSchedule
from platformctl.plan.resources.secrets import WriteSecrets
from platformctl.plan.resources.service import AwaitService, StartServices
from platformctl.plan.resources.volume import RemoveVolume
from platformctl.plan.resources.worker import AwaitWorkers, ForgetWorker
from platformctl.plan.step import Change

CHANGES: tuple[type[Change], ...] = (
    WriteSecrets,
    WriteBundle,
    PullImage,
    BuildImage,
    StartServices,
    AwaitService,
    StopInstances,
    CopyResults,
    CreatePool,
    UpdatePool,
    AddJobVariables,
    MarkDrain,
    UnmarkDrain,
    PausePool,
    ResumePool,
    AwaitRuns,
    RemoveAutomation,
    AwaitWorkers,
    ForgetWorker,
    SettleRun,
    DescribeFlows,
    CreateDeployment,
    UpdateDeployment,
    SetTriggers,
    CreateSchedule,
    UpdateSchedule,
    RemoveSchedule,
    RemoveDeployment,
    ForgetFormer,
    RecordImages,
    RemoveNetwork,
    RemoveVolume,
    RemoveImage,
)
"""Every kind of change that a plan can hold."""
