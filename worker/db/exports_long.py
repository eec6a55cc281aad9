"""The timeline as a long CSV, one row for each emotion, and the notes as a CSV."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from worker.db import notes, shown
from worker.db.dictionaries import LONG, NOTES
from worker.db.exports import ends, lines, text
from worker.db.tables import Video
from worker.emotions import EMOTIONS


def long_lines(session: Session, video: Video, *, hidden: bool) -> Iterator[str]:
    """The long CSV.

    Args:
        session: an open session; it must stay open until the last chunk.
        video: a finished video.
        hidden: whether hidden faces are there, too.

    Returns:
        See exports.lines().
    """
    return lines(LONG.header, _long_rows(session, video, hidden))


def _long_rows(session: Session, video: Video, hidden: bool) -> Iterator[tuple[str, ...]]:
    start, tail = ends(video)
    for row in shown.rows(session, video.id, hidden=hidden):
        face = "" if row.face_id is None else str(row.face_id)
        head = (*start, str(row.frame), f"{row.timestamp_s:.6f}", face, text(row.face_name), row.status)
        if row.probabilities is None:
            yield (*head, "", "", tail)
            continue
        for emotion, value in zip(EMOTIONS, row.probabilities, strict=True):
            yield (*head, emotion, f"{value:.6f}", tail)


def note_lines(session: Session, video: Video) -> Iterator[str]:
    """The notes, in order of time; see exports.lines()."""
    head, _ = ends(video)
    return lines(
        NOTES.header,
        (
            (
                *head,
                f"{note.start_s:.3f}",
                "" if note.end_s is None else f"{note.end_s:.3f}",
                text(note.text),
                note.created_at.isoformat(),
                note.updated_at.isoformat(),
            )
            for note in notes.listed(session, video)
        ),
    )
