"""Install wheels of pure Python into this Python, which needs no network, no installer and no build back end.

Usage: install_worker.py WHEEL... Exits 1 where a module can't be compiled.
"""

import compileall
import sys
import sysconfig
import zipfile
from pathlib import Path


def install(wheel, site):
    """Unpack a wheel and compile its modules, up to the first that can't be; return whether all could."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        modules = [name for name in archive.namelist() if name.endswith(".py")]
    return all(compileall.compile_file(Path(site, name), quiet=1) for name in modules)


def main(wheels):
    """Install wheels; return the number of those that couldn't be compiled."""
    site = sysconfig.get_path("purelib")
    return sum(not install(wheel, site) for wheel in wheels)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
