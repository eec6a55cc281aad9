"""Leases: one worker at a time owns a piece of work, for a while, and proves it by a token with all that it writes.

Everything that is worked on has the columns of Leased: a video to be planned or finished, a segment, a render, a
delivery. The database is the record, the queue only a hint: a message may be lost, doubled or late, for work is taken
from its table, by one worker at a time, and nothing is written, no result and no failure either, but under the token of
the latest lease. A worker that dies lets its lease run out; how often it was taken is counted, so that what kills its
process again and again comes to an end.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Leased
from emotion_timeline.errors import LeaseLost

_SLACK = timedelta(seconds=5)  # by which a clock may be put back without ending a lease


@dataclass(frozen=True)
class Lease:
    """The right to do a piece of work until somebody else gets it.

    Attributes:
        table: what kind of work.
        id: which.
        token: the fence.
        attempt: 1-based; how often it was taken, by whoever did not give it back in peace.
    """

    table: type[Leased]
    id: str | int
    token: str
    attempt: int

    @property
    def is_held(self) -> ColumnElement[bool]:
        """Selects its work, as long as nobody else has taken that."""
        return (self.table.id == self.id) & (self.table.lease_token == self.token)


def clock(session: Session) -> datetime:
    """The present by the clock that all workers share: the database server's. SQLite's users are on one machine."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    at: datetime = session.scalars(select(func.clock_timestamp())).one()
    return at


def is_due(table: type[Leased], at: datetime) -> ColumnElement[bool]:
    """Selects work that may be taken: its time has come, and nobody owns it."""
    return (table.due_at <= at) & or_(table.lease_token.is_(None), _has_expired(table, at))


def is_owned(table: type[Leased], at: datetime) -> ColumnElement[bool]:
    """Selects work that somebody does at present."""
    return table.lease_token.is_not(None) & ~_has_expired(table, at)


def _has_expired(table: type[Leased], at: datetime) -> ColumnElement[bool]:
    # A lease of the future was given by a clock that has been put back: it ends further ahead than it is long.
    return or_(table.lease_until <= at, table.lease_from > at + _SLACK)


def free(due_at: datetime | None) -> dict[str, Any]:
    """Values of the columns of work that nobody owns (any more).

    Args:
        due_at: from when on it may be taken; None when there is nothing to do.
    """
    return {"lease_token": None, "lease_from": None, "lease_until": None, "due_at": due_at}


def set_free(work: Leased, due_at: datetime | None) -> None:
    """The same for a row whose next piece of work this is; attempts are counted anew."""
    for name, value in free(due_at).items():
        setattr(work, name, value)
    work.attempts = 0


def take(session: Session, table: type[Leased], identifier: str | int, lease_s: float, **values: Any) -> Lease | None:
    """Own a piece of work.

    Args:
        session: an open transaction.
        table: what kind of work.
        identifier: which.
        lease_s: seconds until it must be renewed.
        values: other columns to set with it.

    Returns:
        None when it is gone, owned, or not due.
    """
    at, token = clock(session), secrets.token_hex(16)
    owned = {"lease_token": token, "attempts": table.attempts + 1, **_period(at, lease_s), **values}
    taking = update(table).where(table.id == identifier, is_due(table, at)).values(owned).returning(table.attempts)
    attempt = session.scalar(taking)
    return None if attempt is None else Lease(table, identifier, token, attempt)


def _period(at: datetime, lease_s: float) -> dict[str, Any]:
    return {"lease_from": at, "lease_until": at + timedelta(seconds=lease_s)}


def renew(session: Session, lease: Lease, lease_s: float, **values: Any) -> None:
    """Keep a lease, and set other columns.

    Raises:
        LeaseLost: the work went to another, or is not wanted any more.
    """
    _write(session, lease, {**_period(clock(session), lease_s), **values})


def end(session: Session, lease: Lease, due_at: datetime | None = None, **values: Any) -> None:
    """Let go of work that is done or has failed, and set other columns: the fence before every write of a result.

    Args:
        session: an open transaction.
        lease: held until now.
        due_at: when it is to be taken again; None for never.
        values: other columns to set.

    Raises:
        LeaseLost: the work went to another, or is not wanted any more.
    """
    _write(session, lease, {**free(due_at), **values})


def hold(session: Session, lease: Lease) -> None:
    """Make sure, until the transaction's end, that nobody else takes the work: the same fence, where more is to come.

    Raises:
        LeaseLost: the work went to another, or is not wanted any more.
    """
    _write(session, lease, {"lease_token": lease.token})


def _write(session: Session, lease: Lease, values: dict[str, Any]) -> None:
    written = session.execute(update(lease.table).where(lease.is_held).values(values).returning(lease.table.id))
    if written.first() is None:
        raise LeaseLost("This piece of work is not wanted any more or was given to another worker.")


def give_back(session: Session, lease: Lease, *, count_attempt: bool, **values: Any) -> None:
    """Let go of unfinished work so that another worker can take it at once. Nothing happens if it is lost already.

    Args:
        session: an open transaction.
        lease: held or lost.
        count_attempt: whether it counts as a failed attempt; a worker that shuts down has not failed.
        values: other columns to set.
    """
    attempts = lease.table.attempts - (0 if count_attempt else 1)
    given = {**free(clock(session)), "attempts": attempts, **values}
    session.execute(update(lease.table).where(lease.is_held).values(given))


def sweep(session: Session, table: type[Leased], **values: Any) -> None:
    """End the leases that ran out, and set other columns of their work. It could be taken without, but looks owned."""
    at = clock(session)
    expired = table.lease_token.is_not(None) & _has_expired(table, at)
    session.execute(update(table).where(expired).values({**free(at), **values}))
