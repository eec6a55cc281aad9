"""Webhooks over HTTP: signed as https://www.standardwebhooks.com says, and never to a private address unless allowed.

Whoever reaches the service may name an address, and the service would then ask it from inside the operator's network.
So a name is looked up once, everything it stands for must be public, and the connection goes to just what was checked.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import urllib3
from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook

from emotion_timeline.addresses import PORTS, NotFoundByName, PrivateAddress, resolve
from emotion_timeline.config import Settings
from emotion_timeline.db import webhooks
from emotion_timeline.db.session import Database
from emotion_timeline.db.webhooks import Due

_TIMEOUT_S = 10.0
_AT_A_TIME = 10
_CLAIM_S = 300.0  # longer than so many can take, with their look-ups
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
    for address in addresses:
        try:
            status = _send(address, port, host if parts.scheme == "https" else None, target, due.body, headers)
            break
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as exc:
            unreached = exc  # such as IPv6 where the network has none; nothing was sent
        except urllib3.exceptions.HTTPError as exc:
            raise Undelivered(f"{host} could not be reached: {exc}.") from exc
    else:
        raise Undelivered(f"{host} could not be reached: {unreached}.") from unreached
    if not 200 <= status < 300:
        raise Undelivered(f"{host} was expected to answer with 2xx, but answered with {status}.", status)
    return status


def _send(address: str, port: int, secure_host: str | None, target: str, body: str, headers: dict[str, str]) -> int:
    """The status that an address answers with; with a secure_host, over TLS with the certificate of that name."""
    pool: urllib3.HTTPConnectionPool
    if secure_host:
        pool = urllib3.HTTPSConnectionPool(address, port, server_hostname=secure_host, assert_hostname=secure_host)
    else:
        pool = urllib3.HTTPConnectionPool(address, port)
    try:
        answer = pool.urlopen(
            "POST", target, body=body.encode(), headers=headers, timeout=_TIMEOUT_S, retries=False,
            redirect=False, preload_content=False,
        )  # fmt: skip
        answer.close()  # its body is not wanted
        return answer.status
    finally:
        pool.close()


def deliver_due(settings: Settings, database: Database) -> int:
    """Try what is due once.

    Returns:
        How many were tried.
    """
    with database.between_forks(), database.write() as session:
        claimed = webhooks.claim_due(session, _CLAIM_S, _AT_A_TIME)
    for due in claimed:
        status: int | None
        error: str | None = None
        try:
            status = post(due, settings.webhook_private_addresses)
        except Undelivered as exc:
            status, error = exc.status, str(exc)
            _log.warning("Delivery %s was not taken: %s", due.id, error)
        with database.between_forks(), database.write() as session:
            webhooks.record(session, due, status, error)
    return len(claimed)


def start(settings: Settings, is_over: Callable[[], bool]) -> threading.Thread:
    """Deliver, in a thread of its own, as long as this process runs: a slow receiver keeps no analysis waiting."""

    def run() -> None:
        pause = threading.Event()
        database = Database(settings.resolved_database_url)
        while not is_over():
            tried = 0
            try:
                tried = deliver_due(settings, database)
            except SQLAlchemyError:
                _log.warning("Deliveries could not be looked for; trying again.", exc_info=True)
            if not tried:
                pause.wait(min(settings.sweep_s, 1.0))

    thread = threading.Thread(target=run, name="webhooks", daemon=True)
    thread.start()
    return thread
