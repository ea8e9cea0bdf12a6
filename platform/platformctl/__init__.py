"""platformctl: a self-hosted Prefect platform from a spec, and its operation. The library never prints or exits."""

__version__ = "0.1.0"
