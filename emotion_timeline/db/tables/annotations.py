"""What is said of a finished timeline: its faces with their names, and a person's notes."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from emotion_timeline.db.tables.columns import Base, UtcDateTime


class Face(Base):
    """One face of a finished video, as it was followed: what its rows add up to, and what a person says of it.

    The first group is written by appearances.py alone, the second by faces.py alone.
    """

    __tablename__ = "faces"

    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True)
    face_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sums: Mapped[dict[str, Any]] = mapped_column(
        JSON
    )  # emotion_timeline.shares.Sums, with those that are merged into it
    best_frame: Mapped[int] = mapped_column(Integer)
    best_timestamp_s: Mapped[float] = mapped_column(Float(53))
    best_box: Mapped[list[float]] = mapped_column(JSON)  # x, y, width, height in displayed pixels
    peaks: Mapped[list[dict[str, Any]]] = mapped_column(JSON, deferred=True)  # strongest frames, for moments.py

    name: Mapped[str | None] = mapped_column(String(100))
    merged_into: Mapped[int | None] = mapped_column(Integer)  # a face of the same video that is not merged itself
    hidden: Mapped[bool] = mapped_column(Boolean, default=False)


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
