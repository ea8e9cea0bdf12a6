"""Imports libraries ahead of the runs, one after the other, and finds out of each module what it did beside being imported.

A module after which a fork would not be what a new interpreter is can't be imported ahead, nor what needs it. Once one was found
this process is spoilt; another one imports the rest, and the libraries that those modules would have imported.
"""

import builtins
import contextlib
import importlib
import importlib._bootstrap
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

Tell = Callable[[dict[str, Any]], None]
"""Tells the worker something."""
Look = Callable[[str], None]
"""Looks what is new in this process, which is the doing of a module."""


class LeftOutError(BaseException):
    """A module that is not to be imported ahead was about to be. No `except ImportError` may take it for missing."""


@dataclass
class Preload:
    """What was imported, and what came of it."""

    left_out: dict[str, str]
    """Modules that are not to be imported ahead, with the reason; those that were found in this process too."""
    is_spoilt: bool = False
    needs: dict[str, dict[str, None]] = field(default_factory=dict)
    """Each module that was executed, in their order, with what it imported, in its order."""
    _importing: list[str] = field(default_factory=list)
    _raised: set[str] = field(default_factory=set)

    def import_all(self, names: Iterable[str], tell: Tell, look: Look) -> None:
        """Import modules, unless one can't be; raises nothing."""
        with self._recording(tell, look):
            for name in names:
                if name not in self.left_out:
                    self._import(name)

    def leave_out(self, reasons: Mapping[str, str], names: Iterable[str]) -> None:
        """Leave out what can't be imported ahead, by module. names: what may have done it where nobody knows whose doing it is."""
        for module, reason in reasons.items():
            for name in [module] if module in self.needs else names:
                self._leave_out(name, reason)

    def rest(self, names: Iterable[str]) -> list[str]:
        """Return what another process can import instead of these modules, in the order in which it was seen here."""
        while found := {name: why for name in self.needs if name not in self.left_out and (why := self._why(name))}:
            self.left_out.update(found)
        wanted = dict.fromkeys(names)
        for name, needed in self.needs.items():
            if name in self.left_out:
                wanted.update(needed)
        first = {name: place for place, name in enumerate(self.needs)}
        able = [name for name in wanted if name in first and name not in self.left_out and name not in self._raised]
        return sorted(able, key=first.__getitem__)

    def _why(self, name: str) -> str | None:
        """Why a module has to be left out, if one that it needs is, or that it is within."""
        parent = name.rpartition(".")[0]
        for needed in (*self.needs[name], parent):
            if needed in self.left_out:
                return reason_through(needed, self.left_out[needed])
        return None

    def _import(self, name: str) -> None:
        before = len(self.needs)
        try:
            importlib.import_module(name)
        except LeftOutError as error:
            self.left_out.setdefault(name, reason_through(str(error), self.left_out[str(error)]))
        except BaseException as error:  # noqa: BLE001  # a run that needs it will say so itself
            self.left_out[name] = f"{type(error).__name__}: {error}"
            self.is_spoilt = self.is_spoilt or len(self.needs) > before  # parts of it are there, and it is not

    @contextlib.contextmanager
    def _recording(self, tell: Tell, look: Look) -> Iterator[None]:
        """Have every import told and looked at within the body: those of a statement, and those of `import_module`."""
        inner = vars(importlib._bootstrap)
        former = inner["_load_unlocked"], inner["_gcd_import"], builtins.__import__

        def load(spec: Any) -> ModuleType:  # noqa: ANN401  # any finder's
            return self._load(spec.name, lambda: former[0](spec), tell, look)

        def find(name: str, package: str | None = None, level: int = 0) -> ModuleType:
            return self._noted(former[1](name, package, level), ())

        def import_(name: str, *args: Any, **options: Any) -> ModuleType:  # noqa: ANN401  # as the built-in one has them
            _, _, asked, level = (*args, *(None,) * 4)[:4]
            found = former[2](name, *args, **options)
            return self._noted(found, asked or options.get("fromlist") or (), "" if level else name)

        inner["_load_unlocked"], inner["_gcd_import"], builtins.__import__ = load, find, import_
        try:
            yield
        finally:
            inner["_load_unlocked"], inner["_gcd_import"], builtins.__import__ = former

    def _noted(self, module: ModuleType, asked: Iterable[str], name: str = "") -> ModuleType:
        """Note that the module that is executed needs another one. asked: names from it, which may be modules."""
        if self._importing:
            home = getattr(module, "__name__", name)
            names = [home, name, *(f"{home}.{part}" for part in asked)]
            self.needs[self._importing[-1]].update((found, None) for found in names if found in sys.modules)
        return module

    def _load(self, name: str, load: Callable[[], ModuleType], tell: Tell, look: Look) -> ModuleType:
        if name in self.left_out:
            self._leave_out(name, self.left_out[name])
            raise LeftOutError(name)
        if self._importing:
            self.needs[self._importing[-1]][name] = None
            look(self._importing[-1])  # what it did before this import
        self.needs[name] = {}
        self._importing.append(name)
        tell({"begun": name})
        try:
            return load()
        except BaseException:
            self._raised.add(name)
            raise
        finally:
            look(name)
            self._importing.pop()
            tell({"done": name})

    def _leave_out(self, name: str, reason: str) -> None:
        """Leave out a module, and those that are just importing it."""
        self.is_spoilt = True
        self.left_out[name] = reason
        for importing in self._importing:
            if importing != name:
                self.left_out.setdefault(importing, reason_through(name, reason))


def reason_through(name: str, reason: str) -> str:
    """Return the reason of a module that imports another one, whose reason is given."""
    return reason if reason.startswith("it imports ") else f"it imports {name}: {reason}"
