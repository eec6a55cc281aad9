"""What clients of the API leave here: recordings on their way, names of their requests, addresses to be told."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from emotion_timeline.db.tables.columns import Base, Leased, UtcDateTime, enumerated


class Upload(Base):
    """A recording on its way by the tus protocol. How much of it is here is told by its file alone, not by this row.

    It has a video or a refusal once it was examined, and goes with its video.
    """

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    filename: Mapped[str] = mapped_column(Text)  # as the person called it; text only, never a path
    size_bytes: Mapped[int] = mapped_column(BigInteger)  # of the whole recording
    options: Mapped[dict[str, Any]] = mapped_column(JSON)  # how to analyse it
    tus_metadata: Mapped[str] = mapped_column(Text)  # as the client sent it, to be handed back
    unverified_from: Mapped[int | None] = mapped_column(BigInteger)  # bytes from here on still have to match their sum
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)  # bytes began to come, or it was examined
    video_id: Mapped[str | None] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))
    is_duplicate: Mapped[bool | None] = mapped_column(Boolean)  # that video was there before
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # status, code, sentence

    __table_args__ = (Index("ix_uploads_updated_at", "updated_at"), Index("ix_uploads_video_id", "video_id"))


class IdempotencyKey(Base):
    """A client's own name for a request that made something, so that its repetition makes nothing more."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # SHA-256 of what was asked for
    resource: Mapped[str] = mapped_column(String(64))  # id of what was made
    status: Mapped[int] = mapped_column(SmallInteger)  # of the answer
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)


class DeliveryStatus(StrEnum):
    """Where the telling of one event to one address stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(Base):
    """An address that is told when a video is done or has failed."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(100))  # signs what is sent; shown once, when it is made
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Delivery(Leased, Base):
    """One event for one address, with how often it was tried. Its id is the message's: receivers know repetitions by
    it. It outlives the video, as a log."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(String(32))
    video_id: Mapped[str | None] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text)  # the very bytes that are signed and sent, each time
    status: Mapped[DeliveryStatus] = mapped_column(enumerated(DeliveryStatus), default=DeliveryStatus.PENDING)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    response_status: Mapped[int | None] = mapped_column(Integer)  # of the last try
    error: Mapped[str | None] = mapped_column(Text)  # of the last try, a sentence

    __table_args__ = (
        Index("ix_deliveries_due_at", "due_at"),
        Index("ix_deliveries_webhook_id_created_at", "webhook_id", "created_at"),
    )
