"""docs/platform.toml.md describes every key that there is."""

from pathlib import Path

from golden_check import Golden
from reference import reference_page

PAGE = Path(__file__).parents[2] / "docs" / "platform.toml.md"


def test_the_reference_is_the_models(golden: Golden) -> None:
    golden(PAGE, reference_page().encode())
