"""A person's own notes on a video: at a moment, or over a range."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.db.tables import Note, Video
from worker.db.videos import new_id, now
from worker.errors import Conflict, NotFound

MOST = 1000
"""Notes that a video can have."""

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


def listed(session: Session, video_id: str) -> Sequence[Note]:
    """A video's notes in order of time."""
    in_order = (Note.start_s, Note.end_s.is_not(None), Note.end_s, Note.created_at, Note.id)
    return session.scalars(select(Note).where(Note.video_id == video_id).order_by(*in_order)).all()


def find(session: Session, video_id: str, note_id: str) -> Note:
    """One note, to be changed: locked until the end of the transaction.

    Raises:
        NotFound: this video has no such note.
    """
    note = session.get(Note, note_id, with_for_update=True)
    if note is None or note.video_id != video_id:
        raise NotFound(f"This video has no note with the id {note_id!r}. It may have been deleted.")
    return note


def add(session: Session, video: Video, written: Written) -> Note:
    """Keep a new note.

    Raises:
        NotFound: the video was deleted meanwhile.
        Conflict: the video has as many as it can have.
    """
    if session.scalar(select(Video.id).where(Video.id == video.id).with_for_update()) is None:
        raise NotFound(f"The video {video.id!r} was deleted meanwhile, so the note has no place.")
    if (session.scalar(select(func.count(Note.id)).where(Note.video_id == video.id)) or 0) >= MOST:
        raise Conflict(f"A video can have up to {MOST:,} notes, and this one has them. Delete some first.")
    note = Note(id=new_id(), video_id=video.id, created_at=now())
    session.add(note)
    return change(note, written)


def change(note: Note, written: Written) -> Note:
    """Let a note say this."""
    note.start_s = round(written.start_s, 3)
    note.end_s = None if written.end_s is None else round(written.end_s, 3)
    note.text, note.updated_at = written.text, now()
    return note


def remove(session: Session, note: Note) -> None:
    """Delete a note."""
    session.delete(note)
