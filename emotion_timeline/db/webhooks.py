"""Webhooks: who is told of a video's end, and the log of the telling.

An event's deliveries are written in the transaction that ends the video, so none is forgotten and none is sent for
what was rolled back. A worker claims those that are due, by moving their due time to the end of its claim; if it dies
they are due again. So a message may come twice, with the same id, but never not at all.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Delivery, DeliveryStatus, Video, Webhook
from emotion_timeline.errors import Conflict, NotFound

# After these many seconds it is tried again; then, a day and a half after the event, it is given up.
PAUSES_S = (5, 60, 300, 1800, 7200, 18000, 36000, 64800)
_EVENTS = ("done", "failed")


@dataclass(frozen=True)
class Due:
    """A delivery to be tried now.

    Attributes:
        id: of the message.
        attempt: 1-based; also the claim, for a later claim has a higher one.
        url: where to.
        secret: to sign with.
        body: JSON text.
    """

    id: str
    attempt: int
    url: str
    secret: str
    body: str


def _now() -> datetime:
    return datetime.now(UTC)


def create(session: Session, url: str) -> Webhook:
    """Add an address, with a new secret for it (https://www.standardwebhooks.com: "whsec_" and 32 bytes in base64)."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    webhook = Webhook(id=secrets.token_hex(11), url=url, secret=secret, created_at=_now())
    session.add(webhook)
    session.flush()
    return webhook


def all_webhooks(session: Session) -> Sequence[Webhook]:
    """Oldest first."""
    return session.scalars(select(Webhook).order_by(Webhook.created_at, Webhook.id)).all()


def get(session: Session, webhook_id: str) -> Webhook:
    """One webhook.

    Raises:
        NotFound: there is none with this id.
    """
    webhook = session.get(Webhook, webhook_id)
    if webhook is None:
        raise NotFound(f"There is no webhook with the id {webhook_id!r}. It may have been deleted.")
    return webhook


def remove(session: Session, webhook_id: str) -> None:
    """Delete a webhook with its log; what is still to be delivered to it is not.

    Raises:
        NotFound: no such webhook.
    """
    session.delete(get(session, webhook_id))


def log(session: Session, webhook_id: str, limit: int, offset: int) -> Sequence[Delivery]:
    """Deliveries to a webhook, newest first.

    Raises:
        NotFound: no such webhook.
    """
    get(session, webhook_id)
    newest_first = select(Delivery).where(Delivery.webhook_id == webhook_id)
    newest_first = newest_first.order_by(Delivery.created_at.desc(), Delivery.id)
    return session.scalars(newest_first.limit(limit).offset(offset)).all()


def announce(session: Session, video: Video) -> None:
    """Tell every webhook that a video has come to its end; to be called where its status is set to that."""
    if video.status.value not in _EVENTS:
        return
    for webhook in all_webhooks(session):
        _add(session, webhook, f"video.{video.status.value}", _video_data(video), video.id)


def _video_data(video: Video) -> dict[str, Any]:
    error = {"code": video.error_code, "message": video.error_message}
    return {
        "id": video.id,
        "filename": video.filename,
        "status": video.status.value,
        "error": error if video.error_code else None,
        "model": {"name": video.model, "version": video.model_version},
    }


def ping(session: Session, webhook_id: str) -> Delivery:
    """Send a webhook an event without a meaning, to see whether it arrives.

    Raises:
        NotFound: no such webhook.
    """
    return _add(session, get(session, webhook_id), "ping", {}, None)


def _add(session: Session, webhook: Webhook, event: str, data: dict[str, Any], video_id: str | None) -> Delivery:
    at = _now()
    body = json.dumps({"type": event, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data})
    delivery = Delivery(
        id="msg_" + secrets.token_hex(14), webhook_id=webhook.id, event=event, video_id=video_id, body=body,
        status=DeliveryStatus.PENDING, attempts=0, created_at=at, due_at=at,
    )  # fmt: skip
    session.add(delivery)
    session.flush()
    return delivery


def retry(session: Session, webhook_id: str, delivery_id: str) -> Delivery:
    """Try a delivery again from now, as if it had never been tried.

    Raises:
        Conflict: it is still being tried.
        NotFound: no such delivery.
    """
    delivery = session.get(Delivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.webhook_id != webhook_id:
        raise NotFound(f"There is no delivery with the id {delivery_id!r} to this webhook.")
    if delivery.status is DeliveryStatus.PENDING:
        raise Conflict("This delivery is still being tried by itself; wait for it.")
    delivery.status, delivery.attempts, delivery.due_at = DeliveryStatus.PENDING, 0, _now()
    return delivery


def claim_due(session: Session, claim_s: float, limit: int) -> list[Due]:
    """Own some of the deliveries that are due, for so many seconds.

    Args:
        session: an open transaction.
        claim_s: longer than all of them can take.
        limit: how many at most.
    """
    waiting = select(Delivery, Webhook).join(Webhook, Webhook.id == Delivery.webhook_id)
    waiting = waiting.where(Delivery.status == DeliveryStatus.PENDING, Delivery.due_at <= _now())
    waiting = waiting.order_by(Delivery.due_at, Delivery.id).limit(limit)
    claimed = []
    for delivery, webhook in session.execute(waiting.with_for_update(of=Delivery, skip_locked=True)).all():
        delivery.attempts += 1
        delivery.due_at = _now() + timedelta(seconds=claim_s)
        claimed.append(Due(delivery.id, delivery.attempts, webhook.url, webhook.secret, delivery.body))
    return claimed


def record(session: Session, due: Due, response_status: int | None, error: str | None) -> None:
    """Write down how a try ended. Nothing happens when the webhook is gone or another worker has claimed it since.

    Args:
        session: an open transaction.
        due: what was tried.
        response_status: the HTTP status, if there was an answer.
        error: a sentence; None when it was delivered.
    """
    values: dict[str, Any] = {"response_status": response_status, "error": error, "due_at": None}
    if error is None:
        values |= {"status": DeliveryStatus.DELIVERED, "delivered_at": _now()}
    elif due.attempt > len(PAUSES_S):
        values |= {"status": DeliveryStatus.FAILED}
    else:
        values |= {"due_at": _now() + timedelta(seconds=PAUSES_S[due.attempt - 1])}
    mine = (Delivery.id == due.id) & (Delivery.attempts == due.attempt) & (Delivery.status == DeliveryStatus.PENDING)
    session.execute(update(Delivery).where(mine).values(values))
