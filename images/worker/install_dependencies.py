"""Install what a folder of requirements asks for into this Python, beside its Prefect.

Prefect pins its dependencies loosely, and later ones have broken it: the versions that it was released with stay. Of a lock
file they are left out, and the check at the end says whether the rest can live with them.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

LOCK = ("uv.lock", "pyproject.toml")
UV = Path(__file__).with_name("uv.txt")


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


def find_uv():
    """Return the command line of uv. Where it is missing the one is installed whose version and hashes are given."""
    if found := shutil.which("uv"):
        return [found]
    variables = {"PIP_INDEX_URL": os.environ.get("UV_DEFAULT_INDEX"), "PIP_CERT": os.environ.get("SSL_CERT_FILE")}
    environment = {**os.environ, **{name: value for name, value in variables.items() if value}}
    words = ["-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(UV)]
    subprocess.run([sys.executable, *words], check=True, env=environment)
    return [sys.executable, "-m", "uv"]


def commands(names, held, constraints):
    """Yield what uv is to do in a folder of some files.

    held: the names of the distributions that stay as they are. constraints: the file that says their versions.
    """
    install = ("pip", "install", "--compile-bytecode", "--python", sys.executable)
    if "uv.lock" in names:
        left_out = [f"--no-emit-package={name}" for name in held]
        yield ("export", "--frozen", "--no-dev", "--no-emit-project", *left_out, "--output-file", "requirements.lock")
        yield (*install, "--no-deps", "-r", "requirements.lock")
        names = [name for name in names if name not in LOCK]
    if names:
        sources = [word for name in names for word in ("-r", name)]
        yield (*install, "--constraint", constraints, *sources)
    yield ("pip", "check", "--python", sys.executable)


def install(folder, held, uv):
    """Install what a folder's files ask for. held: what stays, name to version. uv: its command line."""
    names = sorted(path.name for path in folder.iterdir())
    with tempfile.TemporaryDirectory() as scratch:
        constraints = Path(scratch, "constraints.txt")
        constraints.write_text("".join(f"{name}=={held[name]}\n" for name in sorted(held)), encoding="utf-8")
        for words in commands(names, sorted(held), str(constraints)):
            subprocess.run([*uv, "--quiet", *words], check=True, cwd=folder)


def main(options):
    """Install; return 3 where Prefect isn't of the version that is wanted, or the code of a command that failed."""
    held = closure("prefect")
    if held.get("prefect") != options.prefect:
        found = held.get("prefect", "no Prefect")
        print(f"the base image holds {found}, and the platform is of Prefect {options.prefect}", file=sys.stderr)
        return 3
    try:
        if options.requirements:
            install(options.requirements, held, [options.uv] if options.uv else find_uv())
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefect", help="the version that must be there")
    parser.add_argument("--requirements", type=Path, metavar="FOLDER", help="holds the usual files; is written to")
    parser.add_argument("--uv", help="its path, where it isn't found by its name")
    sys.exit(main(parser.parse_args()))
