"""A worker says when it takes work, to whoever started it and listens: systemd's protocol (man 3 sd_notify)."""

import os
import socket
from contextlib import suppress
from typing import Any

from celery.signals import worker_ready

ADDRESS = "NOTIFY_SOCKET"
"""The environment variable that holds the path of the listener's socket."""


def listen(folder: str) -> socket.socket:
    """Return a socket in a folder, at which a worker that is started with its path in ADDRESS says READY=1."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.setblocking(False)
    listener.bind(os.path.join(folder, "ready"))
    return listener


@worker_ready.connect  # type: ignore[untyped-decorator]
def _say_ready(**_: Any) -> None:
    address = os.environ.get(ADDRESS, "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:  # nobody listens any more
        teller.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
        teller.send(b"READY=1")
