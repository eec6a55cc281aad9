"""A timeline as the person who works with it left its faces: merged, named, and some of them hidden.

A frame never disappears. Where all its faces are hidden, it keeps one row that says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.orm import Session

from emotion_timeline.db.timelines import TimelineRow, read
from emotion_timeline.views import cast
from emotion_timeline.views.cast import ShownFace

HIDDEN = "hidden"
"""Status of a frame whose faces are all hidden, where these are left out."""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One line of a timeline as it is shown.

    Attributes:
        frame: 0-based index in presentation order.
        timestamp_s: seconds from the first frame.
        face_id: the face, after merging; None without one.
        face_name: the name that a person gave it; empty without one.
        status: the name of an observation's Status, in small letters, or HIDDEN.
        confidence: the detector's, 0-1, or None.
        box: x, y, width, height in displayed pixels, or None.
        probabilities: in the order of EMOTIONS, or None.
    """

    frame: int
    timestamp_s: float
    face_id: int | None
    face_name: str
    status: str
    confidence: float | None = None
    box: tuple[float, float, float, float] | None = None
    probabilities: tuple[float, ...] | None = None


def rows(session: Session, video_id: str, *, hidden: bool) -> Iterator[ShownRow]:
    """All rows, in order of frame; see frames()."""
    for frame in frames(session, video_id, hidden=hidden):
        yield from frame


def frames(session: Session, video_id: str, *, hidden: bool) -> Iterator[Sequence[ShownRow]]:
    """The rows of each frame, at least one, as a stream: memory doesn't grow with the video's length.

    Args:
        session: an open session; it must stay open until the last frame.
        video_id: the video.
        hidden: whether hidden faces are there, too.
    """
    shown = cast.shown(session, video_id)
    for _, group in groupby(read(session, video_id), key=lambda row: row.frame):
        seen = [(row, shown.get(row.face_id) if row.face_id is not None else None) for row in group]
        kept = [_as_shown(row, face) for row, face in seen if hidden or face is None or not face.hidden]
        yield kept or [ShownRow(seen[0][0].frame, seen[0][0].timestamp_s, None, "", HIDDEN)]


def _as_shown(row: TimelineRow, face: ShownFace | None) -> ShownRow:
    return ShownRow(
        row.frame, row.timestamp_s, face.face_id if face else row.face_id, (face and face.name) or "",
        row.status.name.lower(), row.confidence, row.box, row.probabilities,
    )  # fmt: skip
