"""The job configuration of a process worker, without what Prefect works out anew for each run."""

from prefect.settings import get_current_settings
from prefect.workers.process import ProcessJobConfiguration

from prefect_warm_worker._prefect.environments import settings_variables


class LeanJobConfiguration(ProcessJobConfiguration):
    """Has the variables of the worker's settings worked out once for all runs, which is half of what a run costs its worker."""

    @classmethod
    def _base_environment(cls) -> dict[str, str]:
        return dict(settings_variables(get_current_settings()))
