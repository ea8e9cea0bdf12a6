"""Print the installed versions of Prefect and of everything it depends on, as constraints for an installer.

Prefect pins its dependencies loosely, and later ones have broken it: what the base image was released with stays.
Usage: constraints.py VERSION. Exits 3 where the installed Prefect isn't of that version.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution


def closure(root):
    """Map each installed distribution that root needs, root among them, to its version."""
    found, waiting = {}, [root]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # an extra, or another platform's
        found[name] = package.version
        waiting += [re.match(r"[A-Za-z0-9._-]+", requirement).group() for requirement in package.requires or ()]
    return found


def main(wanted):
    """Print the constraints of the installed Prefect."""
    versions = closure("prefect")
    if versions.get("prefect") != wanted:
        found = versions.get("prefect", "no Prefect")
        print(f"the base image holds {found}, and the platform is of Prefect {wanted}", file=sys.stderr)
        return 3
    print("\n".join(f"{name}=={version}" for name, version in sorted(versions.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
