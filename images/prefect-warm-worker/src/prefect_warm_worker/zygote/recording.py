"""Which variables of its environment a zygote reads while it imports, and which modules it asks for in vain."""

import inspect
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any

from prefect_warm_worker.variables import Reads

Place = tuple[str, str]
"""A function: its module and its name."""
_LOOPS = {("collections.abc", "__iter__"), ("_collections_abc", "__iter__")}
"""What asks for one variable after the other because somebody looks at all of them."""
_ASKED_BY_ITSELF = {"sitecustomize", "usercustomize"}
"""What an interpreter asks for before anybody can record it."""


class Recording:
    """Records from where it is made until it ends. What is asked, and whatever is answered, it leaves as it is."""

    def __init__(
        self,
        renewed: Collection[Place] = (),
        searching: Mapping[Place, tuple[str, ...]] = MappingProxyType({}),
        heeded: Collection[str] = (),
    ) -> None:
        """renewed: what each run does anew. searching: what looks at all variables, with how those begin that it looks for.

        heeded: how others begin that count as read.
        """
        self._renewed, self._searching = renewed, searching
        self._names: set[str] = set()
        self._beginnings = set(heeded)
        self._whole = False
        self._before = _loaded_before()
        self.renewed: set[str] = set()
        """The variables that runs read anew."""
        self.missing = set(_ASKED_BY_ITSELF)
        """The modules, not those within packages, that weren't found."""
        _replace_content(_Recorded(_content(), self))
        sys.meta_path.append(self)  # the last one that is asked

    def find_spec(self, name: str, *_: object) -> None:
        """Note what nobody else has found."""
        if "." not in name:
            self.missing.add(name)

    def note(self, name: str | None) -> None:
        """Note that a variable is read, or all of them (None), unless by what each run does anew."""
        for place in _functions(sys._getframe(3)):
            if name is not None and place in _LOOPS:
                return
            if place in self._renewed:
                self.renewed.update([] if name is None else [name])
                return
            if place in self._searching:
                self._beginnings.update(self._searching[place])
                return
        self._whole = self._whole or name is None
        self._names.update([] if name is None else [name])

    def end(self) -> Reads:
        """Record no more; returns what was read."""
        _replace_content(dict(dict.items(_content())))
        sys.meta_path.remove(self)
        files = {*self._before, *_mapped()}
        return Reads(tuple(sorted(self._names)), tuple(sorted(self._beginnings)), self._whole, tuple(sorted(files)))


class _Recorded(dict[bytes, bytes]):
    """What `os.environ` looks things up in."""

    def __init__(self, content: dict[bytes, bytes], recording: Recording) -> None:
        super().__init__(content)
        self._recording = recording

    def __getitem__(self, name: bytes) -> bytes:
        self._recording.note(os.fsdecode(name))
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[bytes]:
        self._recording.note(None)
        return super().__iter__()

    def items(self) -> Any:  # noqa: ANN401  # a view
        self._recording.note(None)
        return super().items()


def variables_now() -> dict[str, str]:
    """Return all variables, without that being recorded."""
    return {os.fsdecode(name): os.fsdecode(value) for name, value in dict.items(_content())}


def _content() -> dict[bytes, bytes]:
    """Return what `os.environ` keeps the variables in, which is private to it."""
    content: dict[bytes, bytes] = vars(os.environ)["_data"]
    return content


def _replace_content(content: dict[bytes, bytes]) -> None:
    for view in (os.environ, os.environb):
        vars(view)["_data"] = content


def _functions(frame: FrameType | None) -> Iterator[Place]:
    """Yield the functions that are at work, the innermost first, up to a module or class that is being made."""
    while frame and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        yield frame.f_globals.get("__name__", ""), frame.f_code.co_name
        frame = frame.f_back


def _loaded_before() -> list[str]:
    """Return the files of the code in Python that ran before anything could be recorded."""
    modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    lines = [str(file) for folder in sys.path if Path(folder).is_dir() for file in Path(folder).glob("*.pth")]
    return [file for file in modules if file] + lines


def _mapped() -> Iterator[str]:
    """Yield the files with machine code in this process: proc_pid_maps(5)."""
    maps = Path("/proc/self/maps")
    for line in maps.read_text(encoding="utf-8").splitlines() if maps.exists() else ():
        _, permissions, _, _, _, *path = line.split(maxsplit=5)
        if "x" in permissions and path and path[0].startswith("/"):
            yield path[0]
