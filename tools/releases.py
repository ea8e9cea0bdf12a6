"""Prints the table of Prefect's minors for the Makefile: each with its day, or what one of them is held to."""

import sys

from platformctl.model.releases import MINORS


def main(words: list[str]) -> None:
    """Print `VERSION@DAY` for each minor; with the name of one, the requirements that it is locked from."""
    if not words:
        print(*(f"{minor.newest}@{minor.resolved_on}" for minor in MINORS))
        return
    (minor,) = (minor for minor in MINORS if minor.name == words[0])
    print(f"prefect=={minor.newest}", *minor.held, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
