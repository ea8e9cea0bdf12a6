"""The environments that Prefect gives to engines."""

import os
from collections.abc import Mapping
from uuid import UUID

from prefect.settings import Settings, get_current_settings
from prefect.utilities.processutils import sanitize_subprocess_env

from prefect_warm_worker._prefect.workspaces import HAS_WORKSPACES

_NO_VERSION_CHECK = {"PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false"}
"""The worker has compared its version with the server's: runs needn't ask again, each over a connection of its own."""


def engine_environment(
    flow_run: UUID, configured: Mapping[str, str | None], control: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment that Prefect's own starter gives an engine. configured: the job's, None removes a variable.

    The worker's settings win over the job's variables before Prefect 3.8, and the other way round since.
    """
    settings = settings_variables(get_current_settings())
    given = {**settings, **configured} if HAS_WORKSPACES else {**configured, **settings}
    own = {"PREFECT__FLOW_RUN_ID": str(flow_run), "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false", **control}
    return sanitize_subprocess_env({**os.environ, **_NO_VERSION_CHECK, **given, **own})


def common_environment() -> dict[str, str]:
    """Return what all engines' environments have in common: this process's, and its settings."""
    return {**os.environ, **_NO_VERSION_CHECK, **settings_variables(get_current_settings())}


_worked_out: list[tuple[Settings, dict[str, str]]] = []
"""The settings that were asked for last, and their variables: they have no hash."""


def settings_variables(settings: Settings) -> dict[str, str]:
    """Return what Prefect makes of its settings for another process, worked out once for each settings."""
    if not _worked_out or _worked_out[0][0] is not settings:
        _worked_out[:] = [(settings, settings.to_environment_variables(exclude_unset=True))]
    return _worked_out[0][1]
