"""Webhooks, under /api/v1/webhooks: addresses that are told when a video is done or has failed, and the log of it."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, url_for
from pydantic import BaseModel, ConfigDict, Field, field_validator

from emotion_timeline.addresses import PORTS, NotFoundByName, PrivateAddress, resolve
from emotion_timeline.db import idempotency as keys
from emotion_timeline.db import webhooks
from emotion_timeline.db.idempotency import Made
from emotion_timeline.db.tables import Delivery, Webhook
from web.http import bodies, idempotency
from web.http.answers import gone, made
from web.http.openapi import IDEMPOTENCY_KEY, Answer, describes
from web.http.parameters import PAGING, paging
from web.http.problems import Problem
from web.http.service import service
from web.http.times import instant
from web.webhooks.schemas import CreatedWebhookBody, DeliveriesPage, DeliveryBody, WebhookBody, WebhooksPage

blueprint = Blueprint("webhooks", __name__, url_prefix="/api/v1/webhooks")


class NewWebhook(BaseModel):
    """What makes a webhook."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        max_length=2000,
        description="http or https address that is sent a POST for every event",
        json_schema_extra={"format": "uri", "pattern": "^https?://"},
    )

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not url.isascii() or not url.isprintable() or " " in url or "@" in parts.netloc:
            raise ValueError("an http or https address without a user name was expected")
        return url


@blueprint.post("")
@describes(
    "webhooks",
    {201: Answer("The webhook was made", CreatedWebhookBody, headers={"Location": "its address"})},
    (400, 404, 413, 415, 422),
    (IDEMPOTENCY_KEY,),
    NewWebhook,
)
def create() -> Response:
    """Add a webhook. Its secret is told in this answer only; messages are signed with it (standardwebhooks.com)."""
    new = bodies.read(NewWebhook)
    _require_allowed(new.url)
    key = idempotency.key_of_request(new.url)
    with service().database.write() as session:
        earlier = keys.recall(session, key.key, key.fingerprint) if key else None
        webhook = webhooks.get(session, earlier.resource) if earlier else webhooks.create(session, new.url)
        if key and not earlier:
            first = keys.remember(session, key.key, key.fingerprint, Made(webhook.id, 201))
            if first.resource != webhook.id:  # the same request, at the same time
                webhooks.remove(session, webhook.id)
                webhook, earlier = webhooks.get(session, first.resource), first
        body = _described(webhook) | {"secret": webhook.secret}
    response = made(body)
    if earlier:
        response.headers[idempotency.REPLAYED] = "true"
    return response


@blueprint.get("")
@describes("webhooks", {200: Answer("All of them", WebhooksPage)})
def index() -> dict[str, Any]:
    """All webhooks, oldest first."""
    with service().database.read() as session:
        return {"webhooks": [_described(webhook) for webhook in webhooks.all_webhooks(session)]}


@blueprint.get("/<webhook_id>")
@describes("webhooks", {200: Answer("The webhook", WebhookBody)})
def show(webhook_id: str) -> dict[str, Any]:
    """One webhook."""
    with service().database.read() as session:
        return _described(webhooks.get(session, webhook_id))


@blueprint.delete("/<webhook_id>")
@describes("webhooks", {204: Answer("The webhook was deleted")})
def delete(webhook_id: str) -> Response:
    """Delete a webhook with its log."""
    with service().database.write() as session:
        webhooks.remove(session, webhook_id)
    return gone()


@blueprint.post("/<webhook_id>/ping")
@describes("webhooks", {202: Answer("The message will be sent", DeliveryBody)})
def ping(webhook_id: str) -> tuple[dict[str, Any], int]:
    """Send the event `ping`, to see whether it arrives."""
    with service().database.write() as session:
        return _logged(webhooks.ping(session, webhook_id)), 202


@blueprint.get("/<webhook_id>/deliveries")
@describes("webhooks", {200: Answer("Some of them", DeliveriesPage)}, (400,), PAGING)
def deliveries(webhook_id: str) -> dict[str, Any]:
    """What was sent to a webhook, newest first, and how it went."""
    limit, offset = paging()
    with service().database.read() as session:
        found = webhooks.log(session, webhook_id, limit, offset)
        return {"deliveries": [_logged(delivery) for delivery in found], "limit": limit, "offset": offset}


@blueprint.post("/<webhook_id>/deliveries/<delivery_id>/retry")
@describes("webhooks", {202: Answer("The message will be sent", DeliveryBody)}, (409,))
def retry(webhook_id: str, delivery_id: str) -> tuple[dict[str, Any], int]:
    """Send a message again that was delivered or given up."""
    with service().database.write() as session:
        return _logged(webhooks.retry(session, webhook_id, delivery_id)), 202


def _require_allowed(url: str) -> None:
    """Refuse an address that nothing would be sent to. What a name stands for may change, so delivery looks again.

    Raises:
        Problem: 400.
    """
    parts = urlsplit(url)
    with suppress(NotFoundByName):  # it may be known later
        try:
            private = service().settings.webhook_private_addresses
            resolve(parts.hostname or "", parts.port or PORTS[parts.scheme], allow_private=private)
        except PrivateAddress as exc:
            raise Problem(400, "private_address", str(exc)) from exc


def _described(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "created_at": instant(webhook.created_at),
        "links": {
            "self": url_for(".show", webhook_id=webhook.id),
            "deliveries": url_for(".deliveries", webhook_id=webhook.id),
        },
    }


def _logged(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event": delivery.event,
        "video_id": delivery.video_id,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "response_status": delivery.response_status,
        "error": delivery.error,
        "created_at": instant(delivery.created_at),
        "delivered_at": instant(delivery.delivered_at),
        "next_attempt_at": instant(delivery.due_at),
    }
