"""What can go wrong, as an operator meets it: one class for each thing done differently about it.

PlatformError             message and remedy; the command exits 1
├── UsageError            the command line asks for something that can't be; exits 2
├── SpecError             platform.toml or prefect.yaml must be mended; exits 2
├── EngineError           the Docker engine doesn't answer, refuses, or is too old
├── SupervisorError         the supervisor of local processes can't start, or refuses
├── FileError             a file can't be read or written: permissions, a full disk
├── PreflightError        the machine isn't ready: a port, the disk, an image; nothing was changed
├── BuildError            an image can't be built; the running platform was left alone
├── ServiceError          an instance failed; carries its last lines
├── ServerError           Prefect's API doesn't answer, or refuses
├── LockedError           another command is changing the same platform
├── ConfirmationError     something would be lost, and nobody said yes
└── RunError              a flow run didn't complete
"""

import errno
import re

_LONG = 1500
_PASSWORD = re.compile(r"(://[^\s/:@]*:)(?!\$\{\w+\}@)\S*@")
"""The password of a URL, up to the last @ of the word; one that is a variable, `${NAME}`, gives nothing away."""


class PlatformError(Exception):
    """A failure that explains itself, and shows no password of a URL.

    message: what happened, with names. remedy: the next thing to type or to change.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str) -> None:
        self.message, self.remedy = _showable(message), _showable(remedy)
        super().__init__(self.message)


class UsageError(PlatformError):
    """The command line asks for something that can't be."""

    exit_code = 2


class SpecError(PlatformError):
    """platform.toml or prefect.yaml must be mended."""

    exit_code = 2


class EngineError(PlatformError):
    """The Docker engine doesn't answer, refuses, or is too old."""


class SupervisorError(PlatformError):
    """The supervisor of local processes can't start, or refuses."""


class FileError(PlatformError):
    """A file can't be read or written: permissions, a full disk."""


class PreflightError(PlatformError):
    """The machine isn't ready; nothing was changed."""


class BuildError(PlatformError):
    """An image can't be built; the running platform was left alone."""


class ServiceError(PlatformError):
    """An instance failed; the message carries its last lines."""


class ServerError(PlatformError):
    """Prefect's API doesn't answer, or refuses."""


class LockedError(PlatformError):
    """Another command is changing the same platform."""


class ConfirmationError(PlatformError):
    """Something would be lost, and nobody said yes."""


class RunError(PlatformError):
    """A flow run didn't complete."""


def _showable(text: str) -> str:
    """What is half a character, as the name of a file may be, can't be printed; nobody reads a line of thousands."""
    lines = [line if len(line) <= _LONG else f"{line[:_LONG]}..." for line in text.split("\n")]
    return without_passwords("\n".join(lines).encode("utf-8", "backslashreplace").decode())


def without_passwords(text: str) -> str:
    """Return a text with three asterisks for the password of each URL in it."""
    return _PASSWORD.sub(r"\1***@", text)


def as_platform_error(error: Exception) -> PlatformError | None:
    """Return what an operator can do something about; None for a defect of the program."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return FileError(
            f"The disk is full{where}.",
            remedy="Free some space. Then type the same command: it continues where it stopped.",
        )
    if isinstance(error, OSError) and error.filename is not None:
        remedy = "Check its permissions and the free disk space. Then type the same command."
        return FileError(f"{error.filename}: {error.strerror}.", remedy=remedy)
    return error if isinstance(error, PlatformError) else None


def failed_describing(image: str, *outputs: str) -> ServiceError:
    """Return the error of flows that couldn't be described, with what was written meanwhile."""
    said = [line for output in outputs for line in output.splitlines() if line.strip()]
    found = f"What the flows of the image {image!r} are can't be found out:\n"
    remedy = "Correct what its last lines say, then type `platformctl up`."
    return ServiceError(found + "\n".join(said)[-1500:], remedy=remedy)


_REMEDIES = {
    "system": "Correct `system` or `base` of [images.{name}] in platform.toml; `apt-cache search WORD` finds names.",
    "dependencies": "Correct the dependencies of [images.{name}]; Prefect's own dependencies are pinned.",
    "flows": "Correct the flow, or add what it imports to the dependencies of [images.{name}].",
}


def failed_build(name: str, stage: str, said: str) -> BuildError:
    """Return the error of a build that failed. stage: where, empty if that isn't known. said: the failed step's words."""
    words = "\n".join(f"  {line}" for line in said.splitlines()[-25:])
    again = f"Type `platformctl build-image {name}` to try again. What runs was left alone."
    remedy = f"{_REMEDIES.get(stage, '').format(name=name)} {again}".strip()
    where = f" at its stage {stage!r}" if stage else ""
    return BuildError(f"The image {name!r} can't be built{where}:\n{words}", remedy=remedy)
