"""What is run on both kinds of workers, and in what way a warm worker's run may differ: said here, and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Source = Literal["folder", "image", "git"]
"""Where a flow comes from: a mounted folder, the image (the folder that the deployment names), or a Git repository."""


@dataclass(frozen=True)
class Scenario:
    """A deployment that both kinds of workers run."""

    name: str
    entrypoint: str
    state: str
    """The name of the state that both end in."""
    source: Source = "folder"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    """How many runs of the deployment may run at once."""
    is_held_up: bool = False
    """Whether a step holds it up before the flow begins."""
    warm_only: Sequence[str] = ()
    """What only the warm worker logs, as the beginnings of messages."""

    @property
    def colour(self) -> str:
        """What a flow and its hooks write of their environment."""
        return str(self.variables.get("env", {}).get("COLOUR"))


DIFFERENT = {
    "input": "a process worker's run reads from a pipe that nobody writes to, for ever; a warm run's input is empty",
}
"""What a flow sees otherwise on a warm worker, and why."""
DIFFERENT_BEFORE_3_8 = {
    "leads a session": "a process worker's run is in the worker's session, and ended with what a terminal's signals are for",
    "leads a group": "as for the session",
}
"""What else a flow sees otherwise there: since Prefect 3.8 the process worker's runs have a session of their own, too."""
HOOKS = ("hook Crashed", "hook Cancelling")
"""What hooks write that the flow's process can't run: before Prefect 3.8 they lack the variables of the run on a process worker."""
WARM_VARIABLE = "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED"
"""Only a warm worker's runs have it: the worker has compared the versions, and they needn't do so again."""
PROCESS_THREAD = "(observer_thread)"
"""Since Prefect 3.7 a run listens for its own suspension; for a warm worker's runs the worker does."""
PROCESS_ONLY = ("prefect.flow_runs.runner ", "prefect.flow_runs.worker 20 Reported flow run 'ID' as crashed: ")
"""What lines begin with that only the process worker has, before Prefect 3.8: that a process starts and with what code it ended;
and that the worker reports a crash, where it is ahead of the runner that it has for its processes."""
REWORDED = {
    r"Flow run process exited with non-zero status code (-?\d+)\.": r"Process exited with status code: \1.",
    r"Flow run infrastructure exited with non-zero status code (-?\d+)\.": r"Process exited with status code: \1.",
}
"""How the process worker words a crash before Prefect 3.8; the warm worker says it as since then, with an explanation behind it."""
LARGE = list(range(60_000))
"""As JSON 400 KB, less than what Prefect lets a parameter be."""

HALTING = Scenario("halting", "ends.py:halting", "Completed")
INTERRUPTED = Scenario("interrupted", "waits.py:interrupted", "Completed")
CANCELLED = Scenario("cancelled", "ends.py:endless", "Cancelled")
CANCELLED_EARLY = Scenario(
    "cancelled early",
    "ends.py:endless",
    "Cancelled",
    is_held_up=True,
)
SHARE = Scenario("share", "limits.py:share", "Completed", parameters={"name": "{kind}"}, limit=1)
LOOK = Scenario("look", "sees.py:look", "Completed", source="image", parameters={"large": LARGE})
LOOK_IN = Scenario(
    "look in",
    "sees.py:look",
    "Completed",
    parameters={"large": []},
    variables={
        "working_dir": "{folder}/work",
        "env": {
            "COLOUR": "red",
            "DROPPED": None,
            "PREFECT_CLIENT_MAX_RETRIES": "7",
            "PYTHONPATH": "{folder}/more",
        },
    },
)
LOOK_LATE = Scenario(
    "look late",
    "sees.py:look",
    "Completed",
    parameters={"large": []},
    variables={"env": {"COLOUR": "red", "TZ": "Asia/Tokyo", "TMPDIR": "{folder}/temporary"}},
    warm_only=["Started as a new process: TMPDIR, TZ would be read too late."],
)
LOOK_GIT = Scenario("look git", "sees.py:look", "Completed", source="git", parameters={"large": []})
MEDDLE = Scenario("meddle", "sees.py:meddle", "Completed")

ENDS = (
    Scenario("synchronous", "kinds.py:synchronous", "Completed", variables={"env": {"COLOUR": "red"}}),
    Scenario("asynchronous", "kinds.py:asynchronous", "Completed"),
    Scenario("generate", "kinds.py:generate", "Completed"),
    Scenario("late", "kinds.py:late", "TimedOut"),
    Scenario("memory", "ends.py:memory", "Failed", variables={"env": {"COLOUR": "red"}}),
    Scenario("leave", "ends.py:leave", "Crashed", variables={"env": {"COLOUR": "red"}}, limit=1),
    Scenario("nowhere", "kinds.py:synchronous", "Crashed", variables={"working_dir": "{folder}/nowhere"}),
    Scenario("fault", "ends.py:fault", "Crashed", warm_only=["Its process was ended by SIGSEGV. Its last output:"]),
    Scenario("killed", "ends.py:killed", "Crashed", warm_only=["Its process was ended by SIGKILL. Its last output:"]),
)
"""What ends by itself."""
LOOKS = (LOOK, LOOK_IN, LOOK_LATE, LOOK_GIT)

ALL = (HALTING, INTERRUPTED, CANCELLED_EARLY, CANCELLED, SHARE, MEDDLE, *ENDS, *LOOKS)
