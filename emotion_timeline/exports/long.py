"""The timeline as a long CSV, one row for each emotion, and the notes as a CSV."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from emotion_timeline.db import notes
from emotion_timeline.db.tables import Video
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.dictionary import LONG, NOTES
from emotion_timeline.exports.tidy import ends, lines, number, text
from emotion_timeline.views import shown


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
        head = (*start, str(row.frame), f"{row.timestamp_s:.6f}", number(row.face_id), text(row.face_name), row.status)
        if row.probabilities is None:
            yield (*head, "", "", tail, number(row.track_id))
            continue
        for emotion, value in zip(EMOTIONS, row.probabilities, strict=True):
            yield (*head, emotion, f"{value:.6f}", tail, number(row.track_id))


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
