"""An engine's volumes in memory: creating one is atomic there too."""

from collections.abc import Callable, Mapping


class MemoryVolumes:
    """Volumes that hold nothing but labels. before: called with what is about to be asked, for a test to come between."""

    def __init__(self, before: Callable[[str], object] = lambda _: None) -> None:
        self.volumes: dict[str, Mapping[str, str]] = {}
        self.before = before

    def create_state(self, platform: str, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Return the labels of the first that created it."""
        self.before(f"create {name}")
        return self.volumes.setdefault(name, labels)

    def state_volumes(self, platform: str) -> Mapping[str, Mapping[str, str]]:
        """Return what is there now."""
        self.before("list")
        return dict(self.volumes)

    def remove_state_volume(self, name: str) -> None:
        """Remove one."""
        self.before(f"remove {name}")
        self.volumes.pop(name, None)
