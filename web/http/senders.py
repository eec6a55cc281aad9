"""Who is sending what: a newcomer with the same upload takes over from a sender whose connection is dead or forgotten.

A laptop that changes its network leaves a connection behind that nobody closes. Its owner must not have to wait until
the silence is long enough. Only senders to this process can be told to stop; others are waited for.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Senders:
    """Connections that bytes of an upload come from, by the upload's id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: dict[str, socket.socket] = {}

    @contextmanager
    def sending(self, upload_id: str, connection: socket.socket | None) -> Iterator[None]:
        """For the length of the block, bytes come from this connection; None where the server doesn't hand it out."""
        if connection is not None:
            with self._lock:
                self._sockets[upload_id] = connection
        try:
            yield
        finally:
            with self._lock:  # afterwards the connection may carry another request
                self._sockets.pop(upload_id, None)

    def interrupt(self, upload_id: str) -> None:
        """Let the upload's sender find the end of its body at once."""
        with self._lock, suppress(OSError):
            if upload_id in self._sockets:
                self._sockets[upload_id].shutdown(socket.SHUT_RD)
