"""Runs as forks, on the side of the worker that asks for them. Nothing here knows Prefect."""
