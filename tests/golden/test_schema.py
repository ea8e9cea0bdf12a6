"""The schema that editors complete from is the models'."""

import json

from golden_check import Golden
from platformctl.assets import asset_path
from schema import json_schema


def test_the_shipped_schema_is_the_models(golden: Golden) -> None:
    golden(asset_path("templates") / "platform.schema.json", (json.dumps(json_schema(), indent=2) + "\n").encode())
