"""A timeline as the person who works with it left its faces: merged, named, and some of them hidden.

A frame never disappears. Where all its faces are hidden, it keeps one row that says so.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Observation, Segment, Tracklet, Video
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Status
from emotion_timeline.views import cast
from emotion_timeline.views.cast import ShownFace

HIDDEN = "hidden"
"""Status of a frame whose faces are all hidden, where these are left out."""

_CHUNK_ROWS = 5000  # rows in memory at a time
_NOBODY = ShownFace(0, None, False)
_COLUMNS = (
    "frame", "timestamp_s", "status", "tracklet", "confidence", "box_x", "box_y", "box_w", "box_h", *EMOTIONS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One line of a timeline, with its face as a person left it: merged and named.

    Attributes:
        frame: 0-based index in presentation order.
        timestamp_s: seconds from the first frame.
        face_id: 1-based number of the face, which is a person, over the whole video; None without a face.
        face_name: the name that a person gave it; empty without one.
        is_hidden: whether a person has hidden it.
        status: the name of an observation's Status in small letters, or HIDDEN.
        shot: 1-based number of the shot that the frame belongs to.
        confidence: the detector's, 0-1, or None.
        box: x, y, width, height in displayed pixels, or None.
        probabilities: in the order of EMOTIONS, or None.
        track_id: 1-based number of the track, which ends where the face is lost or the shot does; None without a face.
    """

    frame: int
    timestamp_s: float
    face_id: int | None
    face_name: str
    is_hidden: bool
    status: str
    shot: int
    confidence: float | None = None
    box: tuple[float, float, float, float] | None = None
    probabilities: tuple[float, ...] | None = None
    track_id: int | None = None


def rows(session: Session, video_id: str, *, hidden: bool) -> Iterator[TimelineRow]:
    """All rows, in order of frame; see frames()."""
    for frame in frames(session, video_id, hidden=hidden):
        yield from frame


def frames(session: Session, video_id: str, *, hidden: bool) -> Iterator[Sequence[TimelineRow]]:
    """The rows of each frame, at least one, as a stream: memory doesn't grow with the video's length.

    Args:
        session: an open session; it must stay open until the last frame.
        video_id: the video.
        hidden: whether hidden faces are there, too.
    """
    for _, group in groupby(read(session, video_id, cast.shown(session, video_id)), key=lambda row: row.frame):
        found = list(group)
        kept = [row for row in found if hidden or not row.is_hidden]
        yield kept or [TimelineRow(found[0].frame, found[0].timestamp_s, None, "", False, HIDDEN, found[0].shot)]


def shots(video: Video) -> list[tuple[int, float]]:
    """Frame, and seconds from the first frame, with which each shot of a finished video begins, in order."""
    return [(frame, begin_s) for frame, begin_s in (video.summary or {}).get("shots", ())]


def read(session: Session, video_id: str, shown: Mapping[int, ShownFace]) -> Iterator[TimelineRow]:
    """A video's rows in order of frame and face, as a stream: memory doesn't grow with the video's length.

    Args:
        session: an open session; it must stay open until the last row.
        video_id: the video.
        shown: what each face that was followed is shown as.
    """
    columns = [getattr(Observation, name) for name in _COLUMNS]
    names = {status.value: status.name.lower() for status in Status}
    beginnings = [frame for frame, _ in shots(session.get_one(Video, video_id))]
    segment_ids = select(Segment.id).where(Segment.video_id == video_id).order_by(Segment.number)
    for segment_id in session.scalars(segment_ids).all():
        numbers = select(Tracklet.number, Tracklet.track_id, Tracklet.face_id).where(Tracklet.segment_id == segment_id)
        faces, tracks = {}, {}
        for number, track_id, face_id in session.execute(numbers):
            if face_id is not None:
                faces[number], tracks[number] = shown[face_id], track_id
        rows = session.execute(
            select(*columns)
            .where(Observation.segment_id == segment_id)
            .order_by(Observation.frame, Observation.face)
            .execution_options(yield_per=_CHUNK_ROWS)
        )
        for frame, timestamp_s, status, tracklet, confidence, x, y, w, h, *probabilities in rows:
            face = faces.get(tracklet, _NOBODY)
            shot = max(1, bisect_right(beginnings, frame))  # frames before the first picture belong to its shot
            yield TimelineRow(
                frame, timestamp_s, face.face_id or None, face.name or "", face.hidden, names[status], shot, confidence,
                None if x is None else (x, y, w, h), None if probabilities[0] is None else tuple(probabilities),
                tracks.get(tracklet),
            )  # fmt: skip
