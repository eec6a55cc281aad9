"""Networks that can't be trusted: TCP proxies that break connections, or let only so much through."""

import random
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from enum import Enum
from functools import partial
from math import inf
from select import select


class Fault(Enum):
    """How a connection ends."""

    CLOSED = "properly closed in mid-sentence"
    RESET = "reset"
    ANSWER_LOST = "the request arrives, the answer doesn't"
    SILENT = "nobody tells the server: a laptop that left"


_CYCLE = [Fault.CLOSED, Fault.RESET, Fault.SILENT] * 3 + [Fault.ANSWER_LOST]  # with the last one, all may be there


class _Proxy(ABC):
    """Carries connections to a port on the loopback."""

    def __init__(self, target: int) -> None:
        self.target = target
        """It may be changed."""
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
            self._stop()
            thread.join()
            for open_socket in (self._listener, *self._left_open):
                open_socket.close()

    def _accept(self) -> None:
        carriers: list[threading.Thread] = []
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                carriers.append(threading.Thread(target=self._carrier(), args=(client,)))
                carriers[-1].start()
        for carrier in carriers:
            carrier.join()

    @abstractmethod
    def _carrier(self) -> Callable[[socket.socket], None]:
        """What is to carry the next connection."""

    def _stop(self) -> None:  # noqa: B027 - nothing does, unless a subclass says so
        """End what would go on for ever."""


class FaultyProxy(_Proxy):
    """Carries connections until each has brought its share of bytes, and then breaks it.

    Args:
        target: port on the loopback that connections are carried to.
        seed: of the places.
        most_bytes: that a connection carries before it breaks.
    """

    def __init__(self, target: int, seed: int, most_bytes: int) -> None:
        super().__init__(target)
        self.faults: list[Fault] = []
        self._random, self._most_bytes = random.Random(seed), most_bytes

    def _carrier(self) -> Callable[[socket.socket], None]:
        fault = _CYCLE[len(self.faults) % len(_CYCLE)]
        return partial(self._carry, fault=fault, share=self._random.randrange(1, self._most_bytes))

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


class Dam(_Proxy):
    """Carries connections, but of what a client sends on each only so much, until it is opened: the rest waits.

    Args:
        target: port on the loopback that connections are carried to.
        most_bytes: that come through on a connection.
    """

    def __init__(self, target: int, most_bytes: int) -> None:
        super().__init__(target)
        self._most_bytes: float = most_bytes
        self._is_cut = False
        self._carried: list[socket.socket] = []

    def open(self) -> None:
        """Let everything through; but what is sent on connections that have brought their share goes on waiting."""
        self._most_bytes, self._is_cut = inf, False

    def cut(self) -> None:
        """Break all connections, and every new one until it is opened."""
        self._is_cut = True
        for carried in list(self._carried):
            with suppress(OSError):
                carried.shutdown(socket.SHUT_RDWR)

    _stop = cut

    def _carrier(self) -> Callable[[socket.socket], None]:
        return self._carry

    def _carry(self, client: socket.socket) -> None:
        with closing(client), suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            self._carried += [client, server]
            brought, is_full = 0, False
            while not self._is_cut:
                is_full = is_full or brought >= self._most_bytes
                for source in select([server] if is_full else [client, server], [], [])[0]:
                    data = source.recv(65536 if source is server else int(min(self._most_bytes - brought, 65536)))
                    if not data:
                        return
                    (client if source is server else server).sendall(data)
                    brought += 0 if source is server else len(data)
