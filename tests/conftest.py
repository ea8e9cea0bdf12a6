"""Options of the whole suite."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

_ONCE = settings(
    deadline=None, database=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
"""A failing input is shown as it was drawn: making it smaller takes longer than reading it."""
settings.register_profile("few", _ONCE, max_examples=15, derandomize=True)
settings.register_profile("many", _ONCE, max_examples=int(os.environ.get("PLATFORMCTL_FUZZ", "1000")))
settings.load_profile("few")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    parser.addoption("--update-golden", action="store_true", help="write the committed texts anew")
