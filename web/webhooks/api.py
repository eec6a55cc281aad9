"""Webhooks, under /api/v1/webhooks: addresses that are told when a video is done or has failed, and the log of it."""

from contextlib import suppress
from urllib.parse import urlsplit

from flask import Blueprint, url_for

from emotion_timeline.db import idempotency as keys
from emotion_timeline.db import webhooks
from emotion_timeline.db.idempotency import Made
from emotion_timeline.db.tables import Delivery, Webhook
from emotion_timeline.service.addresses import PORTS, NotFoundByName, PrivateAddress, resolve
from web.http import idempotency
from web.http.idempotency import KeyHeaders
from web.http.operations import operation
from web.http.parameters import Paging
from web.http.problems import Problem
from web.http.service import service
from web.webhooks.schemas import (
    CreatedWebhookBody,
    DeliveriesPage,
    DeliveryBody,
    NewWebhook,
    WebhookBody,
    WebhookLinks,
    WebhooksPage,
)

blueprint = Blueprint("webhooks", __name__, url_prefix="/api/v1/webhooks")


@blueprint.post("")
@operation("webhooks", {201: "The webhook was added"}, (404, 422), headers={"Location": "its address"})
def create(headers: KeyHeaders, body: NewWebhook) -> tuple[CreatedWebhookBody, int, dict[str, str]]:
    """Add a webhook. Its secret is told in this answer only; messages are signed with it (standardwebhooks.com)."""
    _require_allowed(body.url)
    key = idempotency.key_of_request(headers, body.url)
    with service().database.write() as session:
        earlier = keys.recall(session, key.key, key.fingerprint) if key else None
        webhook = webhooks.get(session, earlier.resource) if earlier else webhooks.create(session, body.url)
        if key and not earlier:
            first = keys.remember(session, key.key, key.fingerprint, Made(webhook.id, 201))
            if first.resource != webhook.id:  # the same request, at the same time
                webhooks.remove(session, webhook.id)
                webhook, earlier = webhooks.get(session, first.resource), first
        return CreatedWebhookBody.of(webhook, links=_links(webhook.id)), 201, idempotency.replayed(earlier is not None)


@blueprint.get("")
@operation("webhooks")
def index() -> WebhooksPage:
    """All webhooks, oldest first."""
    with service().database.read() as session:
        return WebhooksPage(webhooks=[_described(webhook) for webhook in webhooks.all_webhooks(session)])


@blueprint.get("/<webhook_id>")
@operation("webhooks")
def show(webhook_id: str) -> WebhookBody:
    """One webhook."""
    with service().database.read() as session:
        return _described(webhooks.get(session, webhook_id))


@blueprint.delete("/<webhook_id>")
@operation("webhooks")
def delete(webhook_id: str) -> None:
    """Delete a webhook with its log."""
    with service().database.write() as session:
        webhooks.remove(session, webhook_id)


@blueprint.post("/<webhook_id>/ping")
@operation("webhooks", {202: "The message will be sent"})
def ping(webhook_id: str) -> DeliveryBody:
    """Send the event `ping`, to see whether it arrives."""
    with service().database.write() as session:
        return _logged(webhooks.ping(session, webhook_id))


@blueprint.get("/<webhook_id>/deliveries")
@operation("webhooks")
def deliveries(webhook_id: str, query: Paging) -> DeliveriesPage:
    """What was sent to a webhook, newest first, and how it went."""
    with service().database.read() as session:
        found = webhooks.log(session, webhook_id, query.limit, query.offset)
        return DeliveriesPage.of(query, deliveries=[_logged(delivery) for delivery in found])


@blueprint.post("/<webhook_id>/deliveries/<delivery_id>/retry")
@operation("webhooks", {202: "The message will be sent"}, (409,))
def retry(webhook_id: str, delivery_id: str) -> DeliveryBody:
    """Send a message again that was delivered or given up."""
    with service().database.write() as session:
        return _logged(webhooks.retry(session, webhook_id, delivery_id))


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


def _described(webhook: Webhook) -> WebhookBody:
    return WebhookBody.of(webhook, links=_links(webhook.id))


def _links(webhook_id: str) -> WebhookLinks:
    address = url_for(".show", webhook_id=webhook_id)
    return WebhookLinks(self=address, deliveries=url_for(".deliveries", webhook_id=webhook_id))


def _logged(delivery: Delivery) -> DeliveryBody:
    return DeliveryBody.of(delivery, next_attempt_at=delivery.due_at)
