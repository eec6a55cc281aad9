"""A person's own notes on a recording: at a moment, or over a range.

They say what happened in the recording, whichever network looked at it, so they are those of all its analyses: written,
changed or deleted with one of them, they are so with the others. Each lies with one analysis, which hands its notes on
when it is deleted before others; see videos.remove.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from emotion_timeline.db import videos
from emotion_timeline.db.tables import Note, Video
from emotion_timeline.errors import Conflict, NotFound

MOST = 1000
"""Notes that a recording can have."""

LONGEST = 1000
"""Characters that a note can have."""


@dataclass(frozen=True)
class Written:
    """What a person says in a note.

    Attributes:
        start_s: the moment, or where the range begins; seconds from the first frame.
        end_s: where the range ends; None for a moment.
        text: the words.
    """

    start_s: float
    end_s: float | None
    text: str


def listed(session: Session, video: Video) -> Sequence[Note]:
    """The notes on a video's recording in order of time."""
    in_order = (Note.start_s, Note.end_s.is_not(None), Note.end_s, Note.created_at, Note.id)
    return session.scalars(_of_recording(select(Note), video).order_by(*in_order)).all()


def _of_recording(query: Select[Any], video: Video) -> Select[Any]:
    return query.join(Video, Video.id == Note.video_id).where(Video.sha256 == video.sha256)


def find(session: Session, video: Video, note_id: str) -> Note:
    """One note on a video's recording, to be changed: locked until the end of the transaction.

    Raises:
        NotFound: this recording has no such note.
    """
    locked = _of_recording(select(Note), video).where(Note.id == note_id).with_for_update(of=Note)
    note: Note | None = session.scalar(locked)
    if note is None:
        raise NotFound(f"This video has no note with the id {note_id!r}. It may have been deleted.")
    return note


def add(session: Session, video: Video, written: Written) -> Note:
    """Keep a new note.

    Raises:
        NotFound: the video was deleted meanwhile.
        Conflict: the recording has as many as it can have.
    """
    if video.id not in videos.lock_analyses(session, video.sha256):
        raise NotFound(f"The video {video.id!r} was deleted meanwhile, so the note has no place.")
    if (session.scalar(_of_recording(select(func.count(Note.id)), video)) or 0) >= MOST:
        raise Conflict(f"A recording can have up to {MOST:,} notes, and this one has them. Delete some first.")
    note = Note(id=videos.new_id(), video_id=video.id, created_at=videos.now())
    session.add(note)
    return change(note, written)


def change(note: Note, written: Written) -> Note:
    """Let a note say this."""
    note.start_s = round(written.start_s, 3)
    note.end_s = None if written.end_s is None else round(written.end_s, 3)
    note.text, note.updated_at = written.text, videos.now()
    return note


def remove(session: Session, note: Note) -> None:
    """Delete a note."""
    session.delete(note)
