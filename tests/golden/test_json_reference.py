"""docs/reference.md describes what commands print as JSON, field for field."""

from pathlib import Path

from golden_check import Golden
from json_reference import json_page

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_reference_is_of_what_is_printed(golden: Golden) -> None:
    golden(PAGE, json_page().encode())
