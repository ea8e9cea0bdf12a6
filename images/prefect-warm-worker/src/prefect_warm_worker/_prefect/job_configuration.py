"""The job configuration of a process worker, without what Prefect works out anew for each run."""

from prefect.settings import get_current_settings
from prefect.utilities.processutils import command_to_string, get_sys_executable
from prefect.workers.process import ProcessJobConfiguration

from prefect_warm_worker._prefect.environments import settings_variables
from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES
from prefect_warm_worker.protocol import ENGINE_MODULE


class LeanJobConfiguration(ProcessJobConfiguration):
    """Has the variables of the worker's settings worked out once for all runs, which is half of what a run costs its worker."""

    @property
    def has_own_command(self) -> bool:
        """Whether the job names what it runs, other than what Prefect runs by itself.

        Since Prefect 3.8 whatever is named is run so; before, its own command may be named, too.
        """
        if HAS_WORKSPACES:
            return bool(self._command_configured)
        return self.command not in {None, command_to_string([get_sys_executable(), "-m", ENGINE_MODULE])}

    @classmethod
    def _base_environment(cls) -> dict[str, str]:
        return dict(settings_variables(get_current_settings()))
