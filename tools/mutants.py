"""Say how many mutants the tests kill, module by module; mutmut itself names only those that survive.

python tools/mutants.py FOLDER   # the `mutants` that mutmut works in
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

_ALIVE = (0, 5, 33)
"""The exit codes that mutmut notes of a mutant that no test noticed, and of one that no test runs."""


def main() -> None:
    """Print a line for each module of which mutants were tried, and one for all of them."""
    totals = [0, 0]
    for module, killed, tried in _scores(Path(sys.argv[1])):
        totals = [totals[0] + killed, totals[1] + tried]
        print(_line(module, killed, tried))  # what it is for
    print(_line("all", *totals))


def _scores(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield each module that was tried, with how many of its mutants were killed, and tried."""
    for file in sorted(folder.glob("src/**/*.meta")):
        codes = list(json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].values())
        tried = [code for code in codes if code is not None]
        if tried:
            name = str(file.relative_to(folder / "src")).removesuffix(".meta")
            yield name, sum(code not in _ALIVE for code in tried), len(tried)


def _line(module: str, killed: int, tried: int) -> str:
    return f"{module:60} {killed:5} of {tried:5} killed, {killed / max(tried, 1):4.0%}"


if __name__ == "__main__":
    main()
