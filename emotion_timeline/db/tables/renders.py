"""Files that are made of a recording."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from emotion_timeline.db.tables.columns import Base, Leased, UtcDateTime, enumerated


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


class Render(Leased, Base):
    """Files made from a recording, in its folder of derived files. Its failure is no failure of the video."""

    __tablename__ = "renders"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))
    kind: Mapped[RenderKind] = mapped_column(enumerated(RenderKind))
    status: Mapped[RenderStatus] = mapped_column(enumerated(RenderStatus), default=RenderStatus.QUEUED)
    frames_done: Mapped[int] = mapped_column(Integer, default=0)
    frames_total: Mapped[int | None] = mapped_column(Integer)  # None until a worker has begun
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("video_id", "kind"),
        Index("ix_renders_due_at", "due_at"),
    )
