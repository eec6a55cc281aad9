"""What the rows of each face add up to: when it was seen, its best frame, its emotions, its strongest frames.

The database adds up the rows by seconds, in one pass; what is left is some thousand sums for an hour, added up here.
Where a row is looked for and not a number, the row's rank and frame are packed into one whole number, the rank in the
upper bits: its maximum names the frame, the earliest one among equals, on every database and without sorting.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Float, Row, Subquery, and_, case, cast, func, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Integer

from emotion_timeline.clip import Clip
from emotion_timeline.db.tables import Face, Observation, Segment, Tracklet, Video
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.tracking import longest_gap_s

SURE = 0.5
"""From this probability on an emotion is more probable than all the others together."""
APART_S = 2.0
"""Moments of an emotion lie at least this far apart; so does one plateau of a face from the next."""

_FRAME_BITS = 31
_LAST_FRAME = 2**_FRAME_BITS - 1
_CLASSIFIED = 2**30  # above any size of a face in pixels
_SINGLE = 2**24  # singles from 0.5 to 1 are whole multiples of 1 / 2**24
_PEAKS = 12  # kept of a face and emotion; moments.strongest() says why these are enough
_CHUNK = 500
_BOX = ("box_x", "box_y", "box_w", "box_h")

Measures = dict[str, Any]
"""The first group of columns of a row of `faces`."""


@dataclass(slots=True)
class _Sums:
    """One face while its sums are added up."""

    frames: int = 0
    first_timestamp_s: float = math.inf
    last_timestamp_s: float = 0.0
    on_screen_s: float = 0.0
    best: tuple[int, int] = (-1, 0)  # rank and frame, segment
    emotion_frames: list[int] = field(default_factory=lambda: [0] * len(EMOTIONS))
    emotion_sums: list[float] = field(default_factory=lambda: [0.0] * len(EMOTIONS))
    sure: list[tuple[int, float, float, int, int]] = field(default_factory=list)  # see add()

    def add(self, second: Row[Any]) -> None:
        """Add what a face did in a second with one most probable emotion."""
        self.frames += second.frames
        self.first_timestamp_s = min(self.first_timestamp_s, second.first_s)
        self.last_timestamp_s = max(self.last_timestamp_s, second.last_s)
        self.on_screen_s += second.on_screen_s
        self.best = max(self.best, (second.best, second.segment_id))
        if second.dominant is None:
            return
        self.emotion_frames[second.dominant] += second.frames
        self.emotion_sums = [total + second._mapping[e] for total, e in zip(self.emotion_sums, EMOTIONS, strict=True)]
        if second.peak is not None:
            ends = (second.first_sure_s, second.last_sure_s)
            self.sure.append((second.dominant, *ends, second.peak, second.segment_id))


def store(session: Session, video: Video) -> None:
    """Write the measures of a video's faces; what a person said of a face stays with its number.

    `on_screen_s` counts for every frame with the face the time to the next sampled frame of the recording, or to the
    end of what was analysed, but never more than the time over which a face is followed without being seen (a second,
    or 2.5 sample intervals).
    """
    known = {face.face_id: face for face in session.scalars(select(Face).where(Face.video_id == video.id))}
    for face_id, measures in measure(session, video).items():
        face = known.pop(face_id, None) or Face(video_id=video.id, face_id=face_id)
        for name, value in measures.items():
            setattr(face, name, value)
        session.add(face)
    for gone in known.values():
        session.delete(gone)
    session.flush()
    left = select(Face).where(Face.video_id == video.id, Face.merged_into.in_(list(known)))
    for face in session.scalars(left):
        face.merged_into = None


def measure(session: Session, video: Video) -> dict[int, Measures]:
    """The measures of every face of a video, by its number."""
    face_ids = _face_ids(session, video.id)
    faces: dict[int, _Sums] = defaultdict(_Sums)
    for second in session.execute(_seconds(video).execution_options(yield_per=10 * _CHUNK)):
        faces[face_ids[second.segment_id, second.tracklet]].add(second)
    peaks = {face_id: _plateau_peaks(sums) for face_id, sums in faces.items()}
    wanted = {_place(*sums.best) for sums in faces.values()}
    wanted |= {_place(ranked, segment_id) for found in peaks.values() for _, ranked, segment_id in found}
    rows = {(face_ids[row.segment_id, row.tracklet], row.frame): row for row in _rows(session, wanted)}
    return {face_id: _measures(face_id, sums, peaks[face_id], rows) for face_id, sums in sorted(faces.items())}


def _face_ids(session: Session, video_id: str) -> dict[tuple[int, int], int]:
    columns = (Tracklet.segment_id, Tracklet.number, Tracklet.face_id)
    found = session.execute(select(*columns).join(Segment).where(Segment.video_id == video_id))
    return {(segment_id, number): face_id for segment_id, number, face_id in found if face_id is not None}


def _seconds(video: Video) -> Any:
    """Sums over the rows of one tracklet in one second with one most probable emotion."""
    rows = _followed(video)
    hold_s = longest_gap_s(1 / video.sample_hz if video.sample_hz else 0.0)
    _, end_s = Clip(video.clip_start_s, video.clip_end_s).within(video.duration_s)
    span_s = func.coalesce(rows.c.next_s, end_s) - rows.c.timestamp_s
    held_s = case((span_s > hold_s, hold_s), (span_s < 0, 0.0), else_=span_s)
    highest = case({i: rows.c[emotion] for i, emotion in enumerate(EMOTIONS)}, value=rows.c.dominant)
    sure_s = case((highest >= SURE, rows.c.timestamp_s))
    size = cast(func.round(rows.c.confidence * rows.c.confidence * rows.c.area), BigInteger)
    best = case((rows.c.dominant.is_not(None), size + _CLASSIFIED), else_=size)
    peak = case((highest >= SURE, _ranked(cast(highest * _SINGLE, BigInteger), rows.c.frame)))
    keys = (rows.c.segment_id, rows.c.tracklet, rows.c.dominant)
    return (
        select(
            *keys,
            func.count().label("frames"),
            func.min(rows.c.timestamp_s).label("first_s"),
            func.max(rows.c.timestamp_s).label("last_s"),
            func.sum(held_s).label("on_screen_s"),
            func.max(_ranked(best, rows.c.frame)).label("best"),
            func.min(sure_s).label("first_sure_s"),
            func.max(sure_s).label("last_sure_s"),
            func.max(peak).label("peak"),
            *(func.sum(rows.c[emotion]).label(emotion) for emotion in EMOTIONS),
        )
        .where(rows.c.tracklet.is_not(None))
        # Databases round or cut here; either way it is a stretch of a second, and its bounds change no result.
        .group_by(*keys, cast(rows.c.timestamp_s, Integer))
    )


def _followed(video: Video) -> Subquery:
    """A video's rows, with the time of the next sampled frame and the place of the most probable emotion."""
    probabilities = [cast(getattr(Observation, emotion), Float(53)) for emotion in EMOTIONS]
    next_s = func.first_value(Observation.timestamp_s).over(order_by=Observation.frame, groups=(1, 1))
    return (
        select(
            Observation.segment_id,
            Observation.tracklet,
            Observation.frame,
            Observation.timestamp_s,
            next_s.label("next_s"),
            _dominant(probabilities).label("dominant"),
            cast(Observation.confidence, Float(53)).label("confidence"),
            (cast(Observation.box_w, Float(53)) * cast(Observation.box_h, Float(53))).label("area"),
            *(p.label(emotion) for p, emotion in zip(probabilities, EMOTIONS, strict=True)),
        )
        .join(Segment, Segment.id == Observation.segment_id)
        .where(Segment.video_id == video.id)
        .subquery()
    )


def _dominant(probabilities: Sequence[ColumnElement[float]]) -> ColumnElement[int | None]:
    """Place of the highest, the first one among equals, as in the CSV; null without probabilities."""
    firsts = [
        (and_(*(p >= later for later in probabilities[i + 1 :])), i) for i, p in enumerate(probabilities[:-1])
    ]  # whoever comes before was not the highest, so only those after are left to beat
    return case((probabilities[0].is_(None), None), *firsts, else_=len(probabilities) - 1)


def _ranked(rank: ColumnElement[int], frame: ColumnElement[int]) -> ColumnElement[int]:
    ranked: ColumnElement[int] = rank * 2**_FRAME_BITS + (_LAST_FRAME - frame)
    return ranked


def _place(ranked: int, segment_id: int) -> tuple[int, int]:
    """Segment and frame."""
    return segment_id, _LAST_FRAME - ranked % 2**_FRAME_BITS


def _plateau_peaks(sums: _Sums) -> list[tuple[int, int, int]]:
    """The strongest plateaus' peaks of each emotion, as (emotion, rank and frame, segment).

    A plateau is a stretch in which the face shows the emotion surely, with no pause of APART_S.
    """
    found: list[tuple[int, int, int]] = []
    for emotion, seconds in groupby(sorted(sums.sure), key=lambda second: second[0]):
        peaks: list[tuple[int, int, int]] = []
        before_s = -APART_S
        for _, first_s, last_s, ranked, segment_id in seconds:
            peak = (emotion, ranked, segment_id)
            if not peaks or first_s - before_s >= APART_S:
                peaks.append(peak)
            else:
                peaks[-1] = max(peaks[-1], peak)
            before_s = max(before_s, last_s)
        found += nlargest(_PEAKS, peaks)
    return found


def _rows(session: Session, places: Collection[tuple[int, int]]) -> Iterator[Row[Any]]:
    """Rows with a face at these segments and frames."""
    names = ("segment_id", "frame", "tracklet", "timestamp_s", *_BOX, *EMOTIONS)
    with_face = select(*(getattr(Observation, name) for name in names)).where(Observation.tracklet.is_not(None))
    ordered = sorted(places)
    for start in range(0, len(ordered), _CHUNK):
        here = tuple_(Observation.segment_id, Observation.frame).in_(ordered[start : start + _CHUNK])
        yield from session.execute(with_face.where(here))


def _measures(
    face_id: int, sums: _Sums, peaks: list[tuple[int, int, int]], rows: dict[tuple[int, int], Row[Any]]
) -> Measures:
    def at(ranked: int) -> Row[Any]:
        return rows[face_id, _place(ranked, 0)[1]]

    best = at(sums.best[0])
    return {
        "frames": sums.frames,
        "first_timestamp_s": sums.first_timestamp_s,
        "last_timestamp_s": sums.last_timestamp_s,
        "on_screen_s": sums.on_screen_s,
        "best_frame": best.frame,
        "best_timestamp_s": best.timestamp_s,
        "best_box": _box(best),
        "emotion_frames": dict(zip(EMOTIONS, sums.emotion_frames, strict=True)),
        "emotion_sums": dict(zip(EMOTIONS, sums.emotion_sums, strict=True)),
        "peaks": [_peak(EMOTIONS[emotion], at(ranked)) for emotion, ranked, _ in peaks],
    }


def _box(row: Row[Any]) -> list[float]:
    return [row._mapping[name] for name in _BOX]


def _peak(emotion: str, row: Row[Any]) -> dict[str, Any]:
    return {
        "emotion": emotion,
        "frame": row.frame,
        "timestamp_s": row.timestamp_s,
        "probability": row._mapping[emotion],
        "box": _box(row),
    }
