"""Webhooks over HTTP: signed as https://www.standardwebhooks.com says, and never to a private address unless allowed.

Whoever reaches the service may name an address, and the service would then ask it from inside the operator's network.
So a name is looked up once, everything it stands for must be public, and the connection goes to just what was checked.
"""

import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import cache
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook

from emotion_timeline.config import Settings
from emotion_timeline.db import webhooks
from emotion_timeline.db.session import Database
from emotion_timeline.db.webhooks import Due
from emotion_timeline.errors import LeaseLost
from emotion_timeline.service.addresses import PORTS, NotFoundByName, PrivateAddress, resolve

_TIMEOUT_S = 10.0  # of connecting to one address
TOTAL_S = 20.0  # of a try, from its first connection to its answer
_AT_A_TIME = 8
_LEASE_S = 300.0  # longer than a try can take, with its look-up
_log = logging.getLogger(__name__)


class Undelivered(Exception):
    """A try that failed; the message is a sentence for the log of deliveries.

    Args:
        sentence: what happened.
        status: the HTTP status, if there was an answer.
    """

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


def post(due: Due, allow_private: bool) -> int:
    """Send one message.

    Args:
        due: what and where to.
        allow_private: whether addresses of private networks and of this machine are allowed.

    Returns:
        The HTTP status, 2xx.

    Raises:
        Undelivered: the address is not allowed, can't be reached, or doesn't answer with 2xx.
    """
    parts = urlsplit(due.url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        addresses = resolve(host, port, allow_private)
    except (NotFoundByName, PrivateAddress) as exc:
        raise Undelivered(str(exc)) from exc
    sent_at = datetime.now(UTC)
    headers = {
        "Host": parts.netloc.rpartition("@")[2],
        "Content-Type": "application/json",
        "User-Agent": "emotion-timeline",
        "webhook-id": due.id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(due.secret).sign(due.id, sent_at, due.body),
    }
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure_host = host if parts.scheme == "https" else None
    deadline = time.monotonic() + TOTAL_S
    for address in addresses:
        try:
            status = _send(address, port, secure_host, target, due.body, headers, deadline)
            break
        except _Unconnected as exc:
            unreached = exc.__cause__  # such as IPv6 where the network has none; nothing was sent
        except (OSError, http.client.HTTPException) as exc:
            if time.monotonic() >= deadline:
                raise Undelivered(f"{host} was expected to answer within {TOTAL_S:.0f} s, but did not.") from exc
            raise Undelivered(f"{host} could not be reached: {exc}.") from exc
    else:
        raise Undelivered(f"{host} could not be reached: {unreached}.") from unreached
    if not 200 <= status < 300:
        raise Undelivered(f"{host} was expected to answer with 2xx, but answered with {status}.", status)
    return status


class _Unconnected(Exception):
    """There is no way to an address; the cause says why."""


def _send(
    address: str, port: int, secure_host: str | None, target: str, body: str, headers: dict[str, str], deadline: float
) -> int:
    """The status that an address answers with; with a secure_host, over TLS with the certificate of that name."""
    left_s = max(deadline - time.monotonic(), 0.1)
    try:
        plain = socket.create_connection((address, port), timeout=min(_TIMEOUT_S, left_s))
    except OSError as exc:
        raise _Unconnected from exc
    with plain, plain.dup() as line:
        # A time limit of a socket is for each read: whoever sends a byte now and then would be waited for without end.
        timer = threading.Timer(max(deadline - time.monotonic(), 0.1), _cut, (line,))
        timer.start()
        try:
            connection = http.client.HTTPConnection(address, port)
            connection.sock = _context().wrap_socket(plain, server_hostname=secure_host) if secure_host else plain
            with closing(connection):
                connection.request("POST", target, body.encode(), headers)
                status = connection.getresponse().status  # its body is not wanted
            if time.monotonic() >= deadline:
                raise TimeoutError("The answer was cut off.")  # which looks like the end of its headers
            return status
        finally:
            timer.cancel()
            timer.join()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was quicker
        line.shutdown(socket.SHUT_RDWR)


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def deliver_due(settings: Settings, database: Database) -> int:
    """Try what is due once, one after the other.

    Returns:
        How many were tried.
    """
    tried = 0
    while due := _claim(database):
        deliver(settings, database, due)
        tried += 1
    return tried


def _claim(database: Database) -> Due | None:
    with database.write() as session:
        return webhooks.claim(session, _LEASE_S)


def deliver(settings: Settings, database: Database, due: Due) -> None:
    """Try one delivery and write down how it ended."""
    status: int | None
    error: str | None = None
    try:
        status = post(due, settings.webhook_private_addresses)
    except Undelivered as exc:
        status, error = exc.status, str(exc)
        _log.warning("Delivery %s was not taken: %s", due.id, error)
    try:
        with database.write() as session:
            webhooks.record(session, due, status, error)
    except LeaseLost:
        _log.info("Delivery %s is not wanted any more or was made by another worker.", due.id)


def start(settings: Settings, database: Database, is_over: Callable[[], bool]) -> threading.Thread:
    """Deliver as long as this process runs, in threads of its own: a slow receiver keeps no analysis waiting, and no
    other receiver either."""
    free, pause = threading.Semaphore(_AT_A_TIME), threading.Event()

    def send(due: Due) -> None:
        try:
            deliver(settings, database, due)
        except SQLAlchemyError:
            _log.warning("How delivery %s ended could not be written down; it is made again.", due.id, exc_info=True)
        finally:
            free.release()

    def run() -> None:
        while not is_over():
            free.acquire()
            due = None
            try:
                due = _claim(database)
            except SQLAlchemyError:
                _log.warning("Deliveries could not be looked for; trying again.", exc_info=True)
            if due:
                threading.Thread(target=send, args=(due,), name="webhook", daemon=True).start()
            else:
                free.release()
                pause.wait(min(settings.sweep_s, 1.0))

    thread = threading.Thread(target=run, name="webhooks", daemon=True)
    thread.start()
    return thread
