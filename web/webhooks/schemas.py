"""What the HTTP API answers about webhooks; see schemas.py."""

from datetime import datetime
from typing import Literal

from web.http.schemas import Strict


class WebhookBody(Strict):
    """An address that is told of events."""

    id: str
    url: str
    created_at: datetime
    links: dict[str, str]


class CreatedWebhookBody(WebhookBody):
    """A new one, with the secret that signs what is sent to it."""

    secret: str


class WebhooksPage(Strict):
    """All webhooks."""

    webhooks: list[WebhookBody]


class DeliveryBody(Strict):
    """One event for one webhook, and how its telling went."""

    id: str
    event: str
    video_id: str | None
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    response_status: int | None
    error: str | None
    created_at: datetime
    delivered_at: datetime | None
    next_attempt_at: datetime | None


class DeliveriesPage(Strict):
    """Some of a webhook's deliveries."""

    deliveries: list[DeliveryBody]
    limit: int
    offset: int
