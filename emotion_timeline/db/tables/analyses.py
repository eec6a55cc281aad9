"""A recording's analysis and its rows. Status changes are made in videos.py and work.py only; rows of a timeline in
timelines.py only.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, validates
from sqlalchemy.types import BigInteger

from emotion_timeline.db.names import folded, sort_key
from emotion_timeline.db.tables.columns import Base, Leased, Single, UtcDateTime, enumerated
from emotion_timeline.detectors import PACKAGED


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


class Video(Leased, Base):
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
    rotate: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # degrees clockwise, besides the file's own
    detector: Mapped[str] = mapped_column(String(100), server_default=PACKAGED)  # see emotion_timeline.detectors
    embedder: Mapped[str] = mapped_column(String(100), server_default="")  # likewise; empty: faces aren't told apart
    status: Mapped[VideoStatus] = mapped_column(enumerated(VideoStatus), default=VideoStatus.QUEUED)
    step: Mapped[Step] = mapped_column(enumerated(Step), default=Step.PLAN)
    restarts: Mapped[int] = mapped_column(SmallInteger, default=0)  # begun anew, because no worker had its network
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    info: Mapped[dict[str, Any]] = mapped_column(JSON)  # what a glance said of the file; once planned, a VideoInfo
    frames_total: Mapped[int | None] = mapped_column(Integer)  # sampled frames; None until planned
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # see emotion_timeline.results; None until done
    clip_start_s: Mapped[float | None] = mapped_column(
        Float(53)
    )  # see emotion_timeline.clip; both None: the whole recording
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


class Segment(Leased, Base):
    """One unit of work: a stretch of a video between keyframes."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)  # 0-based, in presentation order
    status: Mapped[SegmentStatus] = mapped_column(enumerated(SegmentStatus), default=SegmentStatus.PENDING)
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)  # the plan's integers
    frames: Mapped[bytes] = mapped_column(
        LargeBinary, deferred=True
    )  # little-endian int64: indexes of its sampled frames
    pts: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # little-endian int64: their presentation timestamps
    shots: Mapped[list[tuple[int, float]] | None] = mapped_column(JSON)  # frame and seconds of where each begins
    opening: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # emotion_timeline.media.shots.Edges
    closing: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    frames_total: Mapped[int] = mapped_column(Integer)
    frames_done: Mapped[int] = mapped_column(Integer, default=0)
    picture_sizes: Mapped[list[list[int]] | None] = mapped_column(JSON)  # its pictures' widths and heights, each once
    turns: Mapped[list[int] | None] = mapped_column(JSON)  # see emotion_timeline.turning
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("video_id", "number"),
        Index("ix_segments_video_id_status", "video_id", "status"),
        Index("ix_segments_due_at", "due_at"),
    )


class Tracklet(Base):
    """One face followed through one segment; finishing the video gives it the numbers of its track and of its person
    over the whole video."""

    __tablename__ = "tracklets"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    track_id: Mapped[int | None] = mapped_column(Integer)
    face_id: Mapped[int | None] = mapped_column(Integer)  # of the person
    first_timestamp_s: Mapped[float] = mapped_column(Float(53))
    last_timestamp_s: Mapped[float] = mapped_column(Float(53))
    until_s: Mapped[float] = mapped_column(Float(53))  # when the frame ends in which it was last seen
    first_box: Mapped[list[float]] = mapped_column(JSON)  # x, y, width, height in pixels of the recording
    last_box: Mapped[list[float]] = mapped_column(JSON)
    sums: Mapped[dict[str, Any]] = mapped_column(JSON)  # emotion_timeline.shares.Sums; these three for appearances.py
    best: Mapped[dict[str, Any]] = mapped_column(JSON)  # its best frame
    plateaus: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # where it shows an emotion surely
    seen_with: Mapped[list[int]] = mapped_column(JSON, server_default="[]")  # tracklets that share a frame with it
    # Biometric data, for emotion_timeline.results alone: 128 little-endian float32; None where none was made.
    embedding: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


class Observation(Base):
    """One face in one frame, or one frame without a face. The primary key is also the order of the CSV."""

    __tablename__ = "observations"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    frame: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    face: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)  # -1: none in this frame
    timestamp_s: Mapped[float] = mapped_column(Float(53))
    status: Mapped[int] = mapped_column(SmallInteger)  # emotion_timeline.observations.Status
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


class SegmentCurves(Base):
    """A segment's rows condensed for charts; see emotion_timeline.downsampling. A copy, made with the rows."""

    __tablename__ = "segment_curves"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    first_timestamp_s: Mapped[float] = mapped_column(Float(53))
    last_timestamp_s: Mapped[float] = mapped_column(Float(53))
    faces: Mapped[bytes] = mapped_column(LargeBinary)  # FACE_CELLs
    frames: Mapped[bytes] = mapped_column(LargeBinary)  # FRAME_CELLs
