"""What is kept with a platform on an engine: labels of empty volumes, the same for every machine that uses the engine.

To create a volume is an atomic test-and-set: where one has that name, the engine answers with the labels of the first. It needs
no image and no container, reading is one request, and `docker system prune` leaves named volumes alone. Labels never
change, so an entry is a volume for each version: the new one is there before the old one goes.

The engine has no request that removes a volume only if it is still the one that was looked at. So nobody removes the lock
of a process that has ended: its successor takes the place behind it, a volume named after it, and gives back both.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from platformctl.adapters.holders import is_gone
from platformctl.model.holder import Holder
from platformctl.model.labels import PREFIX
from platformctl.runtimes.keeper import Attempt

_HOLDER, _ENTRY, _VERSION, _CONTENT = (f"{PREFIX}.{name}" for name in ("holder", "entry", "version", "content"))


class Volumes(Protocol):
    """The volumes of an engine that hold no data but their labels."""

    def create_state(self, platform: str, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Create a volume of a platform, and return its labels: those of the one that is there, if one is."""

    def state_volumes(self, platform: str) -> Mapping[str, Mapping[str, str]]:
        """Return such volumes of a platform, name to labels."""

    def remove_state_volume(self, name: str) -> None:
        """Remove such a volume. One that isn't there is fine."""


@dataclass(frozen=True, slots=True)
class _Version:
    volume: str
    number: int
    content: str


class VolumeKeeper:
    """Entries and a lock on an engine."""

    def __init__(self, volumes: Volumes, platform: str) -> None:
        self._volumes, self._platform, self._lock = volumes, platform, f"{platform}_lock"

    def read(self, name: str) -> bytes | None:
        """Return an entry."""
        versions = self._versions(name)
        return base64.b64decode(versions[-1].content) if versions else None

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names that begin so."""
        names = {labels[_ENTRY] for labels in self._all().values() if _ENTRY in labels}
        return tuple(sorted(name for name in names if name.startswith(prefix)))

    def write(self, name: str, content: bytes) -> None:
        """Keep an entry."""
        versions, text = self._versions(name), base64.b64encode(content).decode("ascii")
        if versions and versions[-1].content == text:
            return
        number = versions[-1].number + 1 if versions else 1
        while not self._create_version(name, number, text):
            number += 1  # somebody else wrote it meanwhile
        for version in versions:
            self._volumes.remove_state_volume(version.volume)

    def remove(self, name: str) -> None:
        """Keep an entry no more."""
        for version in self._versions(name):
            self._volumes.remove_state_volume(version.volume)

    def clear(self) -> None:
        """Keep no entry any more."""
        for volume, labels in self._all().items():
            if _ENTRY in labels:
                self._volumes.remove_state_volume(volume)

    def acquire(self, holder: Holder) -> Attempt:
        """Take the lock, or the place behind one whose process has ended."""
        while True:
            passed, held_by = self._walk(self._places())
            if held_by:
                return Attempt(held_by)
            if self._take(passed, holder):
                return Attempt(None, passed)

    def release(self, holder: Holder) -> None:
        """Give the lock back, and remove the places before it: the first one first, which makes the others mean nothing."""
        places = self._places()
        _, held_by = self._walk(places)
        if held_by and held_by.id == holder.id:
            for volume in sorted(places, key=len):
                self._volumes.remove_state_volume(volume)

    def how_to_free(self, holder: Holder) -> str:
        """Name the volume to remove."""
        return f"Wait for it. If {holder.host or 'its machine'} is gone for good, type `docker volume rm {self._lock}`."

    def _take(self, passed: tuple[Holder, ...], holder: Holder) -> bool:
        """Take the place behind those that were passed; it counts if it is still reached once it is ours."""
        place = self._place_behind(passed[-1]) if passed else self._lock
        labels = self._volumes.create_state(self._platform, place, {_HOLDER: holder.to_json()})
        if Holder.from_json(labels.get(_HOLDER, "")).id != holder.id:
            return False
        if not passed:
            return True
        _, held_by = self._walk(self._places())
        if held_by and held_by.id == holder.id:
            return True
        self._volumes.remove_state_volume(place)
        return False

    def _walk(self, places: Mapping[str, Holder]) -> tuple[tuple[Holder, ...], Holder | None]:
        """Return the holders whose processes have ended, and the one behind them that runs, if there is one.

        One on another machine has ended if a process there has taken the place behind it.
        """
        passed: list[Holder] = []
        place = self._lock
        while found := places.get(place):
            place = self._place_behind(found)
            if place not in places and not is_gone(found):
                return tuple(passed), found
            passed.append(found)
        return tuple(passed), None

    def _place_behind(self, holder: Holder) -> str:
        return f"{self._lock}_{holder.id}"

    def _places(self) -> dict[str, Holder]:
        found = self._all().items()
        return {volume: Holder.from_json(labels[_HOLDER]) for volume, labels in found if _HOLDER in labels}

    def _create_version(self, name: str, number: int, text: str) -> bool:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        labels = {_ENTRY: name, _VERSION: str(number), _CONTENT: text}
        found = self._volumes.create_state(self._platform, f"{self._platform}_state_{digest}_{number}", labels)
        return found.items() >= labels.items()

    def _versions(self, name: str) -> list[_Version]:
        """The versions of an entry, the newest last: more than one while it is written, or where that was interrupted."""
        found = [
            _Version(volume, int(labels[_VERSION]), labels[_CONTENT])
            for volume, labels in self._all().items()
            if labels.get(_ENTRY) == name
        ]
        return sorted(found, key=lambda version: version.number)

    def _all(self) -> Mapping[str, Mapping[str, str]]:
        return self._volumes.state_volumes(self._platform)
