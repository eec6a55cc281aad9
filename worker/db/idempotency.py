"""Keys by which clients mark a request that makes something, so that repeating it makes nothing more.

A key is written in the transaction that makes the thing: both are there or neither is, and nothing has to be cleaned up
after a process that died in between (after draft-ietf-httpapi-idempotency-key-header).
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from worker.db.tables import IdempotencyKey
from worker.errors import KeyReused

_LIFE = timedelta(days=7)  # a client that repeats a request does so within minutes


def recall(session: Session, key: str, fingerprint: str) -> str | None:
    """Id of what the first request with this key made; None when this is the first.

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
    return known.resource


def remember(session: Session, key: str, fingerprint: str, resource: str) -> str:
    """Write down what a request made, and forget keys that are a week old.

    Returns:
        The resource; another one when a request with this key, at the same time, was first.

    Raises:
        KeyReused: that one asked for something else.
    """
    at = datetime.now(UTC)
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < at - _LIFE))
    try:
        with session.begin_nested():
            session.add(IdempotencyKey(key=key, fingerprint=fingerprint, resource=resource, created_at=at))
    except IntegrityError:
        first = recall(session, key, fingerprint)
        if first is None:
            raise
        return first
    return resource
