"""What local processes and builds get of the shell's environment: what they need of the machine, and none of its user's secrets.

Builds run other people's code, that of source distributions and of flows. So a variable is listed here, or it stays out.
"""

import os
from collections.abc import Mapping

_NAMES = {
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "UV_CACHE_DIR",
    "UV_LINK_MODE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
}
_IN_ANY_CASE = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


def inherited(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of an environment, by default this process's, that are passed on."""
    found = os.environ if environment is None else environment
    return {name: value for name, value in found.items() if _is_passed_on(name)}


def _is_passed_on(name: str) -> bool:
    return name in _NAMES or name.startswith("LC_") or name.upper() in _IN_ANY_CASE
