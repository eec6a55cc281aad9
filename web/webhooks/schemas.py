"""Bodies about webhooks and what was sent to them."""

from datetime import datetime
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from emotion_timeline.db.tables import DeliveryStatus
from web.http.schemas import Body, SelfLink
from web.http.validation import JsonBody


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url or "@" in parts.netloc:
        raise ValueError("not an address")
    return url


class NewWebhook(JsonBody):
    """What makes a webhook."""

    codes: ClassVar = {"*": "bad_body", "url": "bad_body"}
    other_types: ClassVar[bool] = True

    url: Annotated[str, AfterValidator(_address)] = Field(
        max_length=2000,
        title="an http or https address without a user name",
        description="http or https address that is sent a POST for every event",
        json_schema_extra={"format": "uri", "pattern": "^https?://"},
    )


class WebhookLinks(SelfLink):
    """Addresses of a webhook."""

    deliveries: str


class WebhookBody(Body):
    """An address that is told of events."""

    id: str
    url: str
    created_at: datetime
    links: WebhookLinks


class CreatedWebhookBody(WebhookBody):
    """A new one, with the secret that signs what is sent to it."""

    secret: str


class WebhooksPage(Body):
    """All webhooks."""

    webhooks: list[WebhookBody]


class DeliveryBody(Body):
    """One event for one webhook, and how its telling went."""

    id: str
    event: str
    video_id: str | None
    status: DeliveryStatus
    attempts: int
    response_status: int | None
    error: str | None
    created_at: datetime
    delivered_at: datetime | None
    next_attempt_at: datetime | None


class DeliveriesPage(Body):
    """Some of a webhook's deliveries."""

    deliveries: list[DeliveryBody]
    limit: int
    offset: int
