"""What a worker and its zygote say to each other: JSON objects behind their lengths, and at most one file descriptor each."""

import json
import socket
import struct
from typing import Any

Message = dict[str, Any]
_LENGTH = struct.Struct("!I")


def send(channel: socket.socket, message: Message, descriptor: int | None = None) -> None:
    """Send a message; raises OSError where nobody is there."""
    content = json.dumps(message).encode()
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
    message: Message = json.loads(_rest(channel, _LENGTH.unpack(head)[0]))
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
