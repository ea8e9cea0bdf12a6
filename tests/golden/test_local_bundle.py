"""What the quickstart renders to for the local runtime: the supervisor's configuration, and a file for each process."""

import re
from pathlib import Path

from golden_check import Golden
from platformctl.runtimes.local.bundle import describe_local, render_local
from platformctl.spec.load import load_project
from projects import content_of

ROOT = Path(__file__).parents[2]
TEXTS = Path(__file__).parent / "local"


def test_the_local_bundle_of_the_quickstart(golden: Golden) -> None:
    project = load_project(ROOT / "examples" / "quickstart")
    files = render_local(describe_local(project))

    for path in files:
        if path.startswith("services/") or path == "supervisord.conf":
            text = content_of(files, path).decode().replace(str(project.root), "/home/ada/quickstart")
            golden(TEXTS / path, re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", text).encode())
