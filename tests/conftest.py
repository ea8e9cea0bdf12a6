"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    parser.addoption("--update-golden", action="store_true", help="write the committed texts anew")
