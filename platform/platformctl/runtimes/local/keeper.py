"""What is kept with a platform of local processes: files in a folder of its own. The kernel keeps the lock."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from platformctl.files import make_folder, replace_file
from platformctl.model.holder import Holder
from platformctl.runtimes.keeper import Attempt

if TYPE_CHECKING:
    import filelock


class FolderKeeper:
    """Entries as files, and a lock that the kernel lets go of when its holder ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """folder: made with the first thing that is kept."""
        self._folder, self._entries, self._holder = folder, folder / "entries", folder / "holder.json"
        self._held: tuple[str, filelock.BaseFileLock] | None = None

    def read(self, name: str) -> bytes | None:
        """Return an entry."""
        file = self._entries / name
        return file.read_bytes() if file.is_file() else None

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names of the files that begin so; not of those that are still being written."""
        found = (file for file in self._entries.rglob("*") if file.is_file() and not file.name.startswith("."))
        names = (file.relative_to(self._entries).as_posix() for file in found)
        return tuple(sorted(name for name in names if name.startswith(prefix)))

    def write(self, name: str, content: bytes) -> None:
        """Keep an entry."""
        file = self._entries / name
        make_folder(self._folder, 0o700)
        make_folder(file.parent)
        replace_file(file, content)

    def remove(self, name: str) -> None:
        """Keep an entry no more."""
        (self._entries / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Keep no entry any more."""
        if self._entries.is_dir():
            shutil.rmtree(self._entries)

    def acquire(self, holder: Holder) -> Attempt:
        """Take the lock, unless another process has it."""
        import filelock  # noqa: PLC0415  # it loads asyncio, which a command that changes nothing needn't

        make_folder(self._folder, 0o700)
        lock = filelock.FileLock(self._folder / "lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return Attempt(self._read_holder())
        self._held = holder.id, lock
        cut_off = (self._read_holder(),) if self._holder.exists() else ()
        replace_file(self._holder, holder.to_json())
        return Attempt(None, cut_off)

    def release(self, holder: Holder) -> None:
        """Give the lock back."""
        if self._held and self._held[0] == holder.id:
            self._holder.unlink(missing_ok=True)
            self._held[1].release()
            self._held = None

    def how_to_free(self, holder: Holder) -> str:
        """Say which process to end: there is nothing to take away."""
        return f"Wait for it, or end process {holder.pid} on {holder.host}; that frees the lock."

    def _read_holder(self) -> Holder:
        try:
            return Holder.from_json(self._holder.read_text(encoding="utf-8"))
        except OSError:
            return Holder.from_json("")  # one that is about to write, or has just gone
