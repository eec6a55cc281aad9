"""Webhooks: who is told of a video's end, and the log of the telling.

An event's deliveries are written in the transaction that ends the video, so none is forgotten and none is sent for
what was rolled back. A worker takes what is due under a lease, see db.leases; if it dies, another sends it
again. So a message may come twice, with the same id, but never not at all.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from emotion_timeline.db import leases
from emotion_timeline.db.leases import Lease
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
        lease: the fence.
        url: where to.
        secret: to sign with.
        body: JSON text.
    """

    id: str
    lease: Lease
    url: str
    secret: str
    body: str


def create(session: Session, url: str) -> Webhook:
    """Add an address, with a new secret for it (https://www.standardwebhooks.com: "whsec_" and 32 bytes in base64)."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    webhook = Webhook(id=secrets.token_hex(11), url=url, secret=secret, created_at=leases.clock(session))
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
    at = leases.clock(session)
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
    delivery.status = DeliveryStatus.PENDING
    leases.set_free(delivery, due_at=leases.clock(session))
    return delivery


def claim(session: Session, lease_s: float) -> Due | None:
    """Own the delivery that has been due for the longest time. None when none is.

    Args:
        session: an open transaction.
        lease_s: longer than a try can take.
    """
    waiting = select(Delivery.id).where(leases.is_due(Delivery, leases.clock(session)))
    waiting = waiting.order_by(Delivery.due_at, Delivery.id).limit(1).with_for_update(skip_locked=True)
    identifier = session.scalar(waiting)
    lease = leases.take(session, Delivery, identifier, lease_s) if identifier else None
    if lease is None:
        return None
    delivery = session.get_one(Delivery, lease.id)
    webhook = get(session, delivery.webhook_id)
    return Due(delivery.id, lease, webhook.url, webhook.secret, delivery.body)


def record(session: Session, due: Due, response_status: int | None, error: str | None) -> None:
    """Write down how a try ended.

    Args:
        session: an open transaction.
        due: what was tried.
        response_status: the HTTP status, if there was an answer.
        error: a sentence; None when it was delivered.

    Raises:
        LeaseLost: the webhook is gone, or another worker has taken the delivery since.
    """
    at, tries = leases.clock(session), due.lease.attempt
    values: dict[str, Any] = {"response_status": response_status, "error": error}
    again_at = None
    if error is None:
        values |= {"status": DeliveryStatus.DELIVERED, "delivered_at": at}
    elif tries > len(PAUSES_S):
        values |= {"status": DeliveryStatus.FAILED}
    else:
        again_at = at + timedelta(seconds=PAUSES_S[tries - 1])
    leases.end(session, due.lease, again_at, **values)


def sweep(session: Session) -> None:
    """End the leases of workers that are gone."""
    leases.sweep(session, Delivery)
