"""Import Prefect and every module of a folder of flows, each as Prefect itself would load it.

Usage: check_flows.py [FOLDER]. Exits 1 with the interpreter's own words for each module that can't be imported.
"""

import gc
import importlib.util
import sys
import traceback
from pathlib import Path


def import_file(path):
    """Import one file under a name of its own, with its folder and the project's on the path."""
    sys.path[:0] = [str(path.parent.resolve()), str(Path.cwd())]
    try:
        folders = [str(path.parent.resolve()), str(Path.cwd())]  # where Prefect has relative imports look
        spec = importlib.util.spec_from_file_location(path.stem, path, submodule_search_locations=folders)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    finally:
        del sys.path[:2]
        sys.modules.pop(path.stem, None)


def explain(path):
    """Print what happened, without the frames of this script."""
    kind, error, frames = sys.exc_info()
    while frames and Path(frames.tb_frame.f_code.co_filename) != path.resolve():
        frames = frames.tb_next
    print(f"{path} can't be imported:", file=sys.stderr)
    traceback.print_exception(kind, error, frames, chain=False, file=sys.stderr)


def main(folder):
    """Import Prefect and every module; return the number of modules that can't be."""
    import prefect  # noqa: PLC0415  # once nothing is collected any more

    failed = 0
    for path in sorted(Path(folder).rglob("*.py")) if folder else ():
        try:
            import_file(path)
        except (Exception, SystemExit):
            failed += 1
            explain(path)
    failures = f"{failed} of the flows" if failed else "no flow"
    print(f"Prefect {prefect.__version__}: {failures} failed to import", file=sys.stderr)
    return failed


if __name__ == "__main__":
    gc.disable()  # what is imported stays
    failures = main(sys.argv[1] if len(sys.argv) > 1 else None)
    gc.freeze()  # or the interpreter looks through all of it once more when it ends, a fifth of the time
    sys.exit(min(failures, 1))
