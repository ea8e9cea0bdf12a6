"""What Prefect's engine, and what it imports, reads of the environment in a way that says nothing: by function, module and name.

This imports nothing: a zygote records before it imports.
"""

RENEWED = (
    ("prefect.context", "root_settings_context"),
    ("prefect.context", "refresh_global_settings_context"),
    ("prefect.logging.configuration", "setup_logging"),
    ("prefect_warm_worker.zygote.rehearsal", "set_up_prefect"),
)
"""What each run does anew where its environment differs: see rehearsal."""
SEARCHING = {
    ("fsspec.config", "set_conf_env"): ("FSSPEC",),
    ("prefect.settings.models.plugins", "_warn_on_deprecated_env_prefix"): (),
    ("wsgiref.handlers", "read_environ"): (),
}
"""What looks at all variables, with how those begin that it looks for. wsgiref copies them, which each run does anew."""
HEEDED_AT_IMPORT = ("PREFECT_PLUGINS", "PREFECT_EXPERIMENTS_PLUGINS")
"""How the variables of those settings begin that Prefect acts on while it is imported. It reads all others again."""
