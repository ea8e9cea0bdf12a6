"""The one place that knows where templates/ and images/ live: in a wheel, or in a clone."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset_path(name: str) -> Path:
    """Return the folder of an asset: `templates` or `images`.

    Raises FileNotFoundError where neither the wheel nor the clone holds it.
    """
    for home in (_PACKAGE / "_assets", _PACKAGE.parents[1]):
        if (home / name).is_dir():
            return home / name
    raise FileNotFoundError(f"{name}/ is neither in the installed package nor beside it: reinstall platformctl")
