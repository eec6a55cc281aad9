"""Tables. Status changes are made in videos.py and work.py only; rows of a timeline in timelines.py only."""

import struct
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    Dialect,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates
from sqlalchemy.types import REAL, BigInteger

from worker.db.names import folded, sort_key


class VideoStatus(StrEnum):
    """Where a video stands, as users see it."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What a video needs next: to be cut into segments, to have them analysed, to be put together; or nothing."""

    PLAN = "plan"
    ANALYZE = "analyze"
    FINISH = "finish"
    NONE = "none"


class SegmentStatus(StrEnum):
    """Where a segment stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Single(TypeDecorator[float]):
    """A float of single precision.

    PostgreSQL sends the shortest decimal that stands for it, which as a double is another number; read back through
    single precision, every database gives the very value that was written.
    """

    impl = REAL
    cache_ok = True
    _format = struct.Struct("f")

    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:
        """Read as the nearest single."""
        return None if value is None else float(self._format.unpack(self._format.pack(value))[0])


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can address it on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _enum(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [member.value for member in k])


class Work:
    """Columns of something that a worker can own for a while.

    The token is the fence: whoever writes a result must still hold the token that its claim was given.
    """

    attempts: Mapped[int] = mapped_column(Integer, default=0)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a message was sent for it; None: it needs one


class Video(Work, Base):
    """One recording analysed in one way. The lease columns are for planning and finishing it."""

    __tablename__ = "videos"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    filename: Mapped[str] = mapped_column(Text)  # as the person called it; text only, never a path
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    work_key: Mapped[str] = mapped_column(String(64), unique=True)  # content and settings: the same work only once
    sample_hz: Mapped[float | None] = mapped_column(Float)
    model: Mapped[str] = mapped_column(String(100))
    model_version: Mapped[str] = mapped_column(String(100))
    status: Mapped[VideoStatus] = mapped_column(_enum(VideoStatus), default=VideoStatus.QUEUED)
    step: Mapped[Step] = mapped_column(_enum(Step), default=Step.PLAN)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    info: Mapped[dict[str, Any]] = mapped_column(JSON)  # what the probe said of the file
    frames_total: Mapped[int | None] = mapped_column(Integer)  # sampled frames; None until planned
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # counts by status, faces, strip; None until done
    clip_start_s: Mapped[float | None] = mapped_column(Float(53))  # see worker.clip; both None: the whole recording
    clip_end_s: Mapped[float | None] = mapped_column(Float(53))
    name_key: Mapped[str] = mapped_column(Text, server_default="")  # the filename, to search by
    sort_key: Mapped[str] = mapped_column(Text, server_default="")  # the filename, to sort by
    duration_s: Mapped[float] = mapped_column(Float(53), server_default="0")  # of info, to sort by

    __table_args__ = (
        Index("ix_videos_status_created_at", "status", "created_at"),
        Index("ix_videos_created_at", "created_at"),
        Index("ix_videos_sha256", "sha256"),
        Index("ix_videos_sort_key", "sort_key"),
        Index("ix_videos_duration_s", "duration_s"),
    )

    @validates("filename", "info")
    def _derive(self, key: str, value: Any) -> Any:
        """Keep what the list is searched and sorted by in step with what it comes from."""
        if key == "filename":
            self.name_key = folded(value)
            self.sort_key = sort_key(self.name_key)
        else:
            self.duration_s = value.get("duration_s") or 0.0
        return value


class Segment(Work, Base):
    """One unit of work: a stretch of a video between keyframes."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)  # 0-based, in presentation order
    status: Mapped[SegmentStatus] = mapped_column(_enum(SegmentStatus), default=SegmentStatus.PENDING)
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)  # the plan's integers
    frames: Mapped[bytes] = mapped_column(
        LargeBinary, deferred=True
    )  # little-endian int64: indexes of its sampled frames
    pts: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # little-endian int64: their presentation timestamps
    frames_total: Mapped[int] = mapped_column(Integer)
    frames_done: Mapped[int] = mapped_column(Integer, default=0)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("video_id", "number"),
        Index("ix_segments_video_id_status", "video_id", "status"),
        Index("ix_segments_status_lease_until", "status", "lease_until"),
    )


class Tracklet(Base):
    """One face followed through one segment; finishing the video gives it the face's number over the whole video."""

    __tablename__ = "tracklets"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    face_id: Mapped[int | None] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(Integer)
    first_timestamp_s: Mapped[float] = mapped_column(Float(53))
    last_timestamp_s: Mapped[float] = mapped_column(Float(53))
    first_box: Mapped[list[float]] = mapped_column(JSON)  # x, y, width, height in displayed pixels
    last_box: Mapped[list[float]] = mapped_column(JSON)


class Observation(Base):
    """One face in one frame, or one frame without a face. The primary key is also the order of the CSV."""

    __tablename__ = "observations"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    frame: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    face: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)  # -1: none in this frame
    timestamp_s: Mapped[float] = mapped_column(Float(53))
    status: Mapped[int] = mapped_column(SmallInteger)  # worker.observations.Status
    tracklet: Mapped[int | None] = mapped_column(Integer)
    confidence: Mapped[float | None] = mapped_column(Single)
    box_x: Mapped[float | None] = mapped_column(Single)
    box_y: Mapped[float | None] = mapped_column(Single)
    box_w: Mapped[float | None] = mapped_column(Single)
    box_h: Mapped[float | None] = mapped_column(Single)
    angry: Mapped[float | None] = mapped_column(Single)
    disgust: Mapped[float | None] = mapped_column(Single)
    fear: Mapped[float | None] = mapped_column(Single)
    happy: Mapped[float | None] = mapped_column(Single)
    sad: Mapped[float | None] = mapped_column(Single)
    surprise: Mapped[float | None] = mapped_column(Single)
    neutral: Mapped[float | None] = mapped_column(Single)


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


class Delivery(Base):
    """One event for one address, with how often it was tried. Its id is the message's: receivers know repetitions by
    it. It outlives the video, as a log."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(String(32))
    video_id: Mapped[str | None] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text)  # the very bytes that are signed and sent, each time
    status: Mapped[DeliveryStatus] = mapped_column(_enum(DeliveryStatus), default=DeliveryStatus.PENDING)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # next try, or end of the claim of who tries now
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    response_status: Mapped[int | None] = mapped_column(Integer)  # of the last try
    error: Mapped[str | None] = mapped_column(Text)  # of the last try, a sentence

    __table_args__ = (
        Index("ix_deliveries_status_due_at", "status", "due_at"),
        Index("ix_deliveries_webhook_id_created_at", "webhook_id", "created_at"),
    )


class IdempotencyKey(Base):
    """A client's own name for a request that made something, so that its repetition makes nothing more."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # SHA-256 of what was asked for
    resource: Mapped[str] = mapped_column(String(64))  # id of what was made
    status: Mapped[int] = mapped_column(SmallInteger)  # of the answer
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)


class Face(Base):
    """One face of a finished video, as it was followed: what its rows add up to, and what a person says of it.

    The first group is written by appearances.py alone, the second by faces.py alone.
    """

    __tablename__ = "faces"

    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True)
    face_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    frames: Mapped[int] = mapped_column(Integer)  # in which it was found, classified or not
    first_timestamp_s: Mapped[float] = mapped_column(Float(53))
    last_timestamp_s: Mapped[float] = mapped_column(Float(53))
    on_screen_s: Mapped[float] = mapped_column(Float(53))
    best_frame: Mapped[int] = mapped_column(Integer)
    best_timestamp_s: Mapped[float] = mapped_column(Float(53))
    best_box: Mapped[list[float]] = mapped_column(JSON)  # x, y, width, height in displayed pixels
    emotion_frames: Mapped[dict[str, int]] = mapped_column(JSON)  # classified frames by their most probable emotion
    emotion_sums: Mapped[dict[str, float]] = mapped_column(JSON)  # of the probabilities over the classified frames
    peaks: Mapped[list[dict[str, Any]]] = mapped_column(JSON, deferred=True)  # strongest frames, for moments.py

    name: Mapped[str | None] = mapped_column(String(100))
    merged_into: Mapped[int | None] = mapped_column(Integer)  # a face of the same video that is not merged itself
    hidden: Mapped[bool] = mapped_column(Boolean, default=False)


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


class SegmentCurves(Base):
    """A segment's rows condensed for charts; see worker.curves. A copy: made with the rows, and made again from them
    for segments of an earlier version."""

    __tablename__ = "segment_curves"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    first_timestamp_s: Mapped[float] = mapped_column(Float(53))
    last_timestamp_s: Mapped[float] = mapped_column(Float(53))
    faces: Mapped[bytes] = mapped_column(LargeBinary)  # FACE_CELLs
    frames: Mapped[bytes] = mapped_column(LargeBinary)  # FRAME_CELLs


class RenderKind(StrEnum):
    """What is made of a recording: stills, a lighter copy that browsers play, or a copy with the faces drawn in."""

    PICTURES = "pictures"
    PREVIEW = "preview"
    OVERLAY = "overlay"


class RenderStatus(StrEnum):
    """Where a render stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Render(Work, Base):
    """Files made from a recording, in its folder of derived files. Its failure is no failure of the video."""

    __tablename__ = "renders"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))
    kind: Mapped[RenderKind] = mapped_column(_enum(RenderKind))
    status: Mapped[RenderStatus] = mapped_column(_enum(RenderStatus), default=RenderStatus.QUEUED)
    frames_done: Mapped[int] = mapped_column(Integer, default=0)
    frames_total: Mapped[int | None] = mapped_column(Integer)  # None until a worker has begun
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("video_id", "kind"),
        Index("ix_renders_status_lease_until", "status", "lease_until"),
    )


class Note(Base):
    """A person's own words at a moment of a recording, or over a range of it; see notes.py."""

    __tablename__ = "notes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # never given twice, as a counter's would be
    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))  # one of its analyses
    start_s: Mapped[float] = mapped_column(Float(53))  # from the first frame, to the millisecond
    end_s: Mapped[float | None] = mapped_column(Float(53))  # None: a moment
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_notes_video_id_start_s", "video_id", "start_s"),)
