"""What a worker and its zygote say to each other, and what both know by name.

Messages are JSON objects behind their lengths, with at most one file descriptor each. A worker's first one holds Prefect's
variables and what the zygote imports, each further one a job; a zygote says of each module that its import has begun or is done,
when it is ready, and of each run that it has begun or ended.
"""

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps, loads  # their own: a library may patch the module's
from pathlib import Path
from typing import Any

ZYGOTE_MODULE = "prefect_warm_worker.zygote"
"""What a zygote runs, with its channel's descriptor as the argument. A fork's command line shows it until that runs its module."""
ENGINE_MODULE = "prefect.engine"
HOOKS_MODULE = "prefect_warm_worker.zygote.hooks"
"""What a fork runs that is to run a flow's hooks."""

WORKSPACE = "PREFECT__WARM_WORKER_WORKSPACE"
"""The variable that names the file in which the worker says what is to be prepared."""
RELATED = "PREFECT__WARM_WORKER_RELATED"
"""The variable with what the run's events tell of its flow, deployment and pool, as JSON."""
ANSWERS = "PREFECT__WARM_WORKER_ANSWERS"
"""The variable with what the worker has just read, and the run needn't read again, as JSON."""
SUSPENDED = "PREFECT__WARM_WORKER_SUSPENDED"
"""The variable that names the file in which the worker says that the run was suspended."""
HOOKS_OF = "PREFECT__WARM_WORKER_HOOKS_OF"
"""The variable that tells a fork the state whose hooks it runs, as JSON."""

SIGNALLED = 128
"""What is added to the number of the signal that ended a zygote which was importing, to be the code that it is known by."""

Message = dict[str, Any]
_LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Job:
    """What a fork does. module: what it runs, as `python -m` would. environment: all of its variables.

    is_late: whether its zygote has read some of these with other values, so that a new interpreter is to do it.
    """

    module: str
    environment: Mapping[str, str]
    directory: Path
    is_late: bool = False

    def to_message(self, id_: str) -> Message:
        """Return the message that asks for it. id_: what the answer calls it by."""
        return {
            "id": id_,
            "module": self.module,
            "environment": dict(self.environment),
            "directory": str(self.directory),
            "late": self.is_late,
        }

    @staticmethod
    def from_message(message: Message) -> "Job":
        """Return the job that a message asks for."""
        return Job(message["module"], message["environment"], Path(message["directory"]), message["late"])


def send(channel: socket.socket, message: Message, descriptor: int | None = None) -> None:
    """Send a message; raises OSError where nobody is there."""
    content = dumps(message).encode()
    head = _LENGTH.pack(len(content))
    if descriptor is None:
        channel.sendall(head + content)
    else:
        socket.send_fds(channel, [head], [descriptor])
        channel.sendall(content)


def receive(channel: socket.socket) -> tuple[Message, int | None]:
    """Wait for a message; raises EOFError where the other side is gone."""
    head, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, 1)
    head += _rest(channel, _LENGTH.size - len(head))
    message: Message = loads(_rest(channel, _LENGTH.unpack(head)[0]))
    return message, descriptors[0] if descriptors else None


def _rest(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 65536))
        if not part:
            raise EOFError("the other side is gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
