"""The faces in a stretch of a timeline, for drawing them over the recording, on a page or into a movie.

A stretch is found by the segments' plans, which know where they start, and only those segments' rows are read: a moment
at the end of three hours is as near as one at the start.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Observation, Segment, Tracklet
from emotion_timeline.durations import start_s
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Status
from emotion_timeline.shares import most_probable

_MEASURED = ("box_x", "box_y", "box_w", "box_h", *EMOTIONS)


@dataclass(frozen=True)
class BoxedFace:
    """A face in a frame.

    Attributes:
        face_id: 1-based number of the face as it was followed over the video.
        box: left, top, width and height in displayed pixels.
        status: OK or TOO_SMALL.
        emotion: the most probable one; None where the face is too small.
        probability: its probability; None likewise.
    """

    face_id: int
    box: tuple[float, float, float, float]
    status: Status
    emotion: str | None
    probability: float | None


@dataclass(frozen=True)
class BoxedFrame:
    """A sampled frame with its faces.

    Attributes:
        frame: 0-based index in order of presentation.
        timestamp_s: seconds from the first frame.
        status: that of its best face; without a face NO_FACE or DECODE_ERROR.
        faces: from left to right.
    """

    frame: int
    timestamp_s: float
    status: Status
    faces: tuple[BoxedFace, ...]


@dataclass(frozen=True)
class BoxedStretch:
    """What stands in a stretch of time; a sampled frame stands until the next one.

    Attributes:
        frames: in order; the first is from before the stretch where that one still stands at its start.
        previous_s: timestamp of the sampled frame before these; None where there is none.
        next_s: timestamp of the sampled frame after these; None likewise.
    """

    frames: tuple[BoxedFrame, ...]
    previous_s: float | None
    next_s: float | None


def stretch(session: Session, video_id: str, from_s: float, to_s: float) -> BoxedStretch:
    """The sampled frames that stand from one moment up to another, not included.

    Args:
        session: an open session.
        video_id: a video that is done.
        from_s: seconds from the first frame.
        to_s: seconds from the first frame, after from_s.
    """
    segment_ids = _around(session, video_id, from_s, to_s)
    time = Observation.timestamp_s
    standing_s = _extreme(session, segment_ids, func.max(time), time <= from_s)
    begin_s = from_s if standing_s is None else standing_s
    rows = session.execute(_rows(segment_ids).where(time >= begin_s, time < to_s))
    return BoxedStretch(
        frames=tuple(_frames(rows)),
        previous_s=_extreme(session, segment_ids, func.max(time), time < begin_s),
        next_s=_extreme(session, segment_ids, func.min(time), time >= to_s),
    )


def frames(session: Session, video_id: str, first: int, after: int) -> list[BoxedFrame]:
    """The sampled frames from one index up to another, not included, in order."""
    segment_ids = session.scalars(select(Segment.id).where(Segment.video_id == video_id)).all()
    here = _rows(segment_ids).where(Observation.frame >= first, Observation.frame < after)
    return list(_frames(session.execute(here)))


def _around(session: Session, video_id: str, from_s: float, to_s: float) -> list[int]:
    """Ids of the segments of a stretch, and of neighbours. Every segment has a sampled frame, but it may come late in
    it: what stands at the start, and what is before that, can be two segments back."""
    rows = session.execute(
        select(Segment.id, Segment.plan).where(Segment.video_id == video_id).order_by(Segment.number)
    )
    starts_s, ids = zip(*((start_s(plan), segment_id) for segment_id, plan in rows), strict=True)
    first, after = bisect_right(starts_s, from_s) - 1, bisect_left(starts_s, to_s)
    return list(ids[max(first - 2, 0) : after + 1])


def _extreme(
    session: Session, segment_ids: list[int], extreme: ColumnElement[float], condition: ColumnElement[bool]
) -> float | None:
    return session.scalar(select(extreme).where(Observation.segment_id.in_(segment_ids), condition))


def _rows(segment_ids: Sequence[int]) -> Select[Any]:
    """Rows in order of frame and face. Rounded by whoever shows them, they needn't be the exact singles of the CSV."""
    measured = [type_coerce(getattr(Observation, name), Float) for name in _MEASURED]
    tracked = (Tracklet.segment_id == Observation.segment_id) & (Tracklet.number == Observation.tracklet)
    return (
        select(Observation.frame, Observation.timestamp_s, Observation.status, Tracklet.face_id, *measured)
        .outerjoin(Tracklet, tracked)
        .where(Observation.segment_id.in_(segment_ids))
        .order_by(Observation.frame, Observation.face)
    )


def _frames(rows: Iterable[Any]) -> Iterator[BoxedFrame]:
    for (frame, timestamp_s), same in groupby(rows, key=lambda row: (row.frame, row.timestamp_s)):
        found = list(same)
        faces = tuple(_faces(found))
        best = min((face.status for face in faces), default=Status(found[0].status))
        yield BoxedFrame(frame, timestamp_s, best, faces)


def _faces(rows: Iterable[Any]) -> Iterator[BoxedFace]:
    for _, _, status, face_id, x, y, w, h, *probabilities in rows:
        if face_id is None:
            continue
        if probabilities[0] is None:
            yield BoxedFace(face_id, (x, y, w, h), Status(status), None, None)
            continue
        place = most_probable(probabilities)
        yield BoxedFace(face_id, (x, y, w, h), Status(status), EMOTIONS[place], probabilities[place])
