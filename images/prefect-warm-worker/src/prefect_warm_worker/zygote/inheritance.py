"""What a fork has from its zygote; where a new interpreter would not have the same, the fork becomes one."""

import importlib
import os
import signal
import site
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from prefect_warm_worker.snapshots import Snapshot, take_snapshot
from prefect_warm_worker.variables import MODULE_PATH, Reads, find_changed
from prefect_warm_worker.zygote.recording import Recording


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a zygote has read and imported. environment: its own. missing: the modules that it didn't find.

    path: where it looks for modules, without the folders that its environment names. added: the variables that an interpreter
    sets itself, as LC_CTYPE where none of the environment's names a locale.
    """

    reads: Reads
    environment: Mapping[str, str]
    sources: Snapshot
    missing: Set[str]
    path: Sequence[str]
    added: Mapping[str, str]

    def in_environment(self, environment: Mapping[str, str]) -> "Inheritance":
        """Return it for a fork that has begun in an environment: what differs from that counts from now on."""
        return replace(self, environment=dict(environment))

    def module_path(self, environment: Mapping[str, str], folder: str) -> list[str]:
        """Return where a new interpreter with an environment, in a folder, would look for modules."""
        named = module_folders(environment, folder)
        return [folder, *named, *(entry for entry in self.path if entry not in named)]

    def fits(self, environment: Mapping[str, str], folder: str) -> bool:
        """Whether a new interpreter with an environment, in a folder, would have read and imported the same."""
        return (
            not self.reads.find(find_changed(self.environment, environment))
            and take_snapshot(self.sources) == self.sources
            and not any(self._shadows([folder, *module_folders(environment, folder)]))
        )

    def _shadows(self, folders: Iterable[str]) -> Iterator[str]:
        """Yield the modules that folders before all others hold in another way than they were imported, or not found."""
        importlib.invalidate_caches()
        names = _imported() | self.missing
        for folder in folders:
            for name in names & _held(folder, names):
                spec = PathFinder.find_spec(name, [folder])
                if spec is None or _is_none_beside(spec, name):
                    continue
                if not _is_imported(spec, name):
                    yield name
                names.discard(name)  # a later folder's is not found


class Beginning:
    """What is known when a zygote begins, and becomes what its forks inherit."""

    def __init__(self, record: Callable[[], Recording]) -> None:
        self._begun, self._environment = time.time_ns(), _environment_at_start()
        self._added = {name: value for name, value in os.environ.items() if name not in self._environment}
        self.recording = record()
        del sys.path[0]  # the folder that it was started in

    def end(self) -> Inheritance:
        """Record no more; returns what was read and imported."""
        path = [entry for entry in sys.path if entry not in module_folders(self._environment, "/")]
        reads, sources = self.recording.end(), sources_since(self._begun)
        return Inheritance(reads, self._environment, sources, self.recording.missing, path, self._added)


def sources_since(begun: int) -> Snapshot:
    """Return the files of all that is imported, and where libraries are installed.

    begun: when importing began, in nanoseconds; what changed since may have been read before, and will never be the same.
    """
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    found = take_snapshot({file for file in files if file})
    now = time.time_ns()
    unsure = {file: [-1] for file, [*_, changed] in found.items() if begun <= changed <= now}
    return found | unsure | take_snapshot(_installed_in())


def module_folders(environment: Mapping[str, str], folder: str) -> list[str]:
    """Return where an interpreter in a folder looks for modules before all others, beside that folder."""
    entries = environment.get(MODULE_PATH, "").split(os.pathsep)
    return list(dict.fromkeys(str(Path(folder, entry).absolute()) for entry in entries if entry))


def become_interpreter(words: Iterable[str], environment: Mapping[str, str], folder: str) -> None:
    """Become a new interpreter in a folder; never returns. words: its arguments."""
    os.chdir(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)  # which this one ignores, and a new one would then
    os.closerange(3, 65536)
    os.execve(sys.executable, [sys.executable, *words], dict(environment))  # noqa: S606  # without a shell


def _imported() -> set[str]:
    """Return the modules, without those within packages and those that are part of the interpreter."""
    return {
        name
        for name, module in list(sys.modules.items())
        if "." not in name and name != "__main__"
        if getattr(getattr(module, "__spec__", None), "origin", None) not in {"built-in", "frozen"}
    }


def _held(folder: str, names: Set[str]) -> Set[str]:
    """Return those of some modules that a folder, or an archive, may hold."""
    try:
        return {name.partition(".")[0] for name in os.listdir(folder)}  # noqa: PTH208  # their names
    except NotADirectoryError:
        return names
    except OSError:
        return set()


def _is_none_beside(spec: ModuleSpec, name: str) -> bool:
    """Whether it is a mere folder, and the module a file that is found all the same."""
    return spec.origin is None and getattr(sys.modules.get(name), "__file__", None) is not None


def _is_imported(spec: ModuleSpec, name: str) -> bool:
    """Whether a module is imported, and from there."""
    if name not in sys.modules:
        return False
    if spec.origin is None:  # folders that make one package together
        return set(spec.submodule_search_locations or ()) <= set(getattr(sys.modules[name], "__path__", ()))
    imported = getattr(sys.modules[name], "__file__", None)
    return imported is not None and Path(spec.origin).resolve() == Path(imported).resolve()


def _environment_at_start() -> dict[str, str]:
    """Return the variables that this interpreter was started with: proc_pid_environ(5)."""
    content = Path("/proc/self/environ").read_bytes().split(b"\0")
    return dict(os.fsdecode(entry).split("=", 1) for entry in content if b"=" in entry)


def _installed_in() -> set[str]:
    return {*site.getsitepackages(), *(sysconfig.get_path(name) for name in ("purelib", "platlib"))}
