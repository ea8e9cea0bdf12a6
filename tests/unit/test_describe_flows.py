"""What the flows of an image are, as the script that runs where they are tells it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from platformctl.assets import asset_path

SCRIPT = asset_path("images") / "worker" / "describe_flows.py"
FLOW = """\
import os
from prefect import flow
from .shared import SIZE
print("loading")

@flow(name="Hello")
def hello(source: str, size: int = SIZE):
    \"\"\"Say hello.\"\"\"

@flow(description=os.environ.get("BUCKET"))
def other(): ...

if os.environ.get("BUCKET") == "none":
    raise OSError("no such lake")
"""


def describe(folder: Path, *pools: tuple[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Describe flows, pool by pool with the value of BUCKET, and return what is told by key."""
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "main.py").write_text(FLOW, encoding="utf-8")
    (folder / "flows" / "shared.py").write_text("SIZE = 7\n", encoding="utf-8")
    asked = {"pools": [{"environment": {"BUCKET": bucket}, "flows": flows} for bucket, flows in pools]}
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    environment = {**os.environ, "PREFECT_HOME": str(folder / ".prefect")}
    command = [sys.executable, "-B", str(SCRIPT), "asked.json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment)
    assert "loading" not in done.stdout
    found = [json.loads(line.removeprefix("flow: ")) for line in done.stdout.splitlines()]
    return {each.pop("key"): each for each in found}


def flow(name: str, key: str, *triggers: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "entrypoint": f"flows/main.py:{name}", "name": key, "triggers": list(triggers)}


def test_flows_are_described_in_the_environment_of_their_pool(tmp_path: Path) -> None:
    trigger = {"type": "event", "expect": ["x"], "parameters": {"source": "{{ event.name }}"}}

    found = describe(
        tmp_path, ("lake", [flow("hello", "a", trigger), flow("other", "b")]), ("sea", [flow("other", "c")])
    )

    assert (found["a"]["flow"], found["a"]["description"]) == ("Hello", "Say hello.")
    assert found["a"]["schema"]["properties"]["size"]["default"] == 7  # what is imported from beside it
    assert found["a"]["schema"]["required"] == ["source"]
    (automation,) = found["a"]["automations"]
    assert automation["name"] == "a__automation_1"
    assert automation["actions"][0]["deployment_id"] == "00000000-0000-0000-0000-000000000000"
    assert automation["actions"][0]["parameters"] == {"source": "{{ event.name }}"}
    assert (found["b"]["description"], found["c"]["description"]) == ("lake", "sea")


def test_what_cannot_be_loaded_is_told_in_its_own_words_and_the_others_are_described(tmp_path: Path) -> None:
    found = describe(tmp_path, ("none", [flow("hello", "a")]), ("lake", [flow("gone", "b"), flow("other", "c")]))

    lines = found["a"]["error"].splitlines()
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "OSError: no such lake")
    assert "flows/main.py" in lines[1]
    assert "gone" in found["b"]["error"]
    assert found["c"]["flow"] == "other"
