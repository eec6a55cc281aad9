"""A network that can't be trusted: a TCP proxy that breaks connections, at places that follow from a seed."""

import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import Enum
from select import select


class Fault(Enum):
    """How a connection ends."""

    CLOSED = "properly closed in mid-sentence"
    RESET = "reset"
    ANSWER_LOST = "the request arrives, the answer doesn't"
    SILENT = "nobody tells the server: a laptop that left"


_CYCLE = [Fault.CLOSED, Fault.RESET, Fault.SILENT] * 3 + [Fault.ANSWER_LOST]  # with the last one, all may be there


class FaultyProxy:
    """Carries connections to a port until each has brought its share of bytes, and then breaks it.

    Args:
        target: port on the loopback that connections are carried to; it may be changed.
        seed: of the places.
        most_bytes: that a connection carries before it breaks.
    """

    def __init__(self, target: int, seed: int, most_bytes: int) -> None:
        self.target = target
        self.faults: list[Fault] = []
        self._random, self._most_bytes = random.Random(seed), most_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._left_open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    @contextmanager
    def running(self) -> Iterator[str]:
        """Carry for as long as the block lasts; yields the proxy's address."""
        thread = threading.Thread(target=self._accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for open_socket in (self._listener, *self._left_open):
                open_socket.close()

    def _accept(self) -> None:
        carriers: list[threading.Thread] = []
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                fault = _CYCLE[len(self.faults) % len(_CYCLE)]
                share = self._random.randrange(1, self._most_bytes)
                carriers.append(threading.Thread(target=self._carry, args=(client, fault, share)))
                carriers[-1].start()
        for carrier in carriers:
            carrier.join()

    def _carry(self, client: socket.socket, fault: Fault, share: int) -> None:
        with closing(client), suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self.target))
            is_broken = _carry_until_broken(client, server, fault, share)
            if is_broken:
                self.faults.append(fault)
            if is_broken and fault is Fault.SILENT:
                self._left_open.append(server)
                return
            if is_broken and fault is Fault.RESET:
                for end in (client, server):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            server.close()


def _carry_until_broken(client: socket.socket, server: socket.socket, fault: Fault, share: int) -> bool:
    """True when the connection's share was carried, False when one of the two ended it."""
    while True:
        for source in select([client, server], [], [])[0]:
            data = source.recv(65536)
            if not data:
                return False
            if source is server:
                if fault is Fault.ANSWER_LOST and share <= 0:
                    return True
                client.sendall(data)
                continue
            if fault is Fault.ANSWER_LOST:
                server.sendall(data)
            else:
                server.sendall(data[:share])
                if share <= len(data):
                    return True
            share -= len(data)
