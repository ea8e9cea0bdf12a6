"""What a change is applied to: the outside world, and the files that it is to be brought to."""

import functools
from collections.abc import Callable

from platformctl.adapters.prefect.ports import Api, Client
from platformctl.errors import ServerError
from platformctl.model.deployment import Described
from platformctl.plan.connections import Connections
from platformctl.plan.wanted import Wanted
from platformctl.runtimes.runtime import Runtime
from platformctl.spec.load import Project


class World:
    """The outside world of one project. What is heavy is made when the first change needs it."""

    def __init__(
        self,
        project: Project,
        connections: Connections,
        runtime: Runtime,
        note: Callable[[str], None],
        wanted: Wanted | None = None,
    ) -> None:
        """note: told what happens within a change. wanted: what the project's files say; None where a command doesn't ask."""
        self.project, self.runtime, self.note = project, runtime, note
        self._connections, self._wanted = connections, wanted
        self.flows: dict[str, Described] = {}

    def describe_flows(self, image: str) -> None:
        """Find out what the flows of an image are, for what is observed next; raises ServiceError."""
        self.flows[image] = self.runtime.describe_flows(image, self.note)

    @functools.cached_property
    def api(self) -> Api:
        """Prefect's API; raises ServerError where the platform has no secrets."""
        api = self._connections.api(self.project)
        if api is None:
            raise ServerError(f"There are no secrets in {self.project.secrets} yet.", remedy="Type `platformctl up`.")
        return api

    @functools.cached_property
    def client(self) -> Client:
        """Prefect's own client."""
        return self._connections.client(self.project)

    @property
    def wanted(self) -> Wanted:
        """What the project's files want."""
        if self._wanted is None:
            raise TypeError("this command's steps are not about the project's files")
        return self._wanted
