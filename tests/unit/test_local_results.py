"""Persisted results of local processes: a folder for each pool, and what all shared before."""

import os
from pathlib import Path

from platformctl.plan.wanted import load_wanted
from platformctl.runtimes.local.runtime import LocalRuntime
from platformctl.spec.load import load_project
from platformctl.stack.files import write_files
from projects import SPEC, write_project


def test_what_pools_shared_is_copied_to_each_and_what_is_newer_stays(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, SPEC.replace('"acme"', '"acme"\nruntime = "local"')))
    runtime = LocalRuntime(project)
    write_files(load_wanted(project, runtime).files, project.bundle)
    shared, dev, prod = (project.data / name for name in ("results", "results-dev", "results-prod"))
    project.data.mkdir(parents=True)
    shared.mkdir(mode=0o700)
    (shared / "folder").mkdir()
    for key in ("old", "new", "folder/key"):
        (shared / key).write_text("shared")
        os.utime(shared / key, (1000, 1000))

    runtime.copy_results("worker-prod-1", "acme_results")
    (prod / "old").write_text("its own, and newer")
    (shared / "new").write_text("added meanwhile")
    runtime.copy_results("worker-prod-1", "acme_results")

    assert (prod / "old").read_text() == "its own, and newer"
    assert (prod / "new").read_text() == "added meanwhile"
    assert (prod / "folder" / "key").read_text() == "shared"
    assert prod.stat().st_mode & 0o077 == 0
    assert (shared / "old").read_text() == "shared"
    assert not dev.exists()
