"""Keys by which clients mark a request that makes something, so that repeating it makes nothing more.

A key is written in the transaction that makes the thing: both are there or neither is, and nothing has to be cleaned up
after a process that died in between (after draft-ietf-httpapi-idempotency-key-header).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import IdempotencyKey
from emotion_timeline.errors import KeyReused


@dataclass(frozen=True)
class Made:
    """What the first request with a key made.

    Attributes:
        resource: its id.
        status: the HTTP status that was answered.
    """

    resource: str
    status: int


_LIFE = timedelta(days=7)  # a client that repeats a request does so within minutes


def recall(session: Session, key: str, fingerprint: str) -> Made | None:
    """What the first request with this key made; None when this is the first.

    Args:
        session: an open transaction.
        key: the client's.
        fingerprint: SHA-256 of what is asked for, in hexadecimal.

    Raises:
        KeyReused: the first request asked for something else.
    """
    known = session.get(IdempotencyKey, key)
    if known is None:
        return None
    if known.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request before. Use a new key for a new request.")
    return Made(known.resource, known.status)


def remember(session: Session, key: str, fingerprint: str, made: Made) -> Made:
    """Write down what a request made, and forget keys that are a week old.

    Returns:
        The same; another one when a request with this key, at the same time, was first.

    Raises:
        KeyReused: that one asked for something else.
    """
    at = datetime.now(UTC)
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < at - _LIFE))
    try:
        with session.begin_nested():
            columns = {"resource": made.resource, "status": made.status}
            session.add(IdempotencyKey(key=key, fingerprint=fingerprint, created_at=at, **columns))
    except IntegrityError:
        first = recall(session, key, fingerprint)
        if first is None:
            raise
        return first
    return made
