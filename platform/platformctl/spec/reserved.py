"""Environment variables that the platform sets for its workers: another value would part them from it, in silence."""

_INSTEAD = {
    "PREFECT_API_": "leave it out: workers are told where the platform's server is, and its password",
    "PREFECT_SERVER_": "use the keys of [server] and [database]",
    "PREFECT_UI_": "use host and port of [server]",
    "PREFECT_HOME": "leave it out: it is a folder of the worker's own",
    "PREFECT_PROFILE": "leave it out: the platform's profile holds its password",
    "PREFECT_PROFILES_PATH": "leave it out: the platform's profile holds its password",
    "PREFECT_RESULTS_LOCAL_STORAGE_PATH": "leave it out: results are kept with the platform",
    "PREFECT_WORKER_ENABLE_CANCELLATION": "leave it out: cancelled flow runs must end",
    "PREFECT_WORKER_WEBSERVER_": "leave it out: the health check asks there",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "leave it out: workers know by it that a flow run goes on",
    "PREFECT_WARM_WORKER_": "use the pool's keys grace, on_stop, run_memory, run_seconds and preload",
    "HOME": "leave it out: it is a folder of the worker's own",
    "USER": "leave it out: workers run as the platform's user",
}
TUNABLE = (
    "PREFECT_WORKER_QUERY_SECONDS",
    "PREFECT_WORKER_HEARTBEAT_SECONDS",
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED",
    "PREFECT_SERVER_ANALYTICS_ENABLED",
)
"""What is set for workers too, and does no harm with another value."""


def instead_of(variable: str) -> str | None:
    """Return what to do instead of setting a variable that is the platform's own; None for one that is the user's to set."""
    if variable in TUNABLE:
        return None
    names = (name for name in _INSTEAD if variable == name or (name.endswith("_") and variable.startswith(name)))
    return next((_INSTEAD[name] for name in names), None)
