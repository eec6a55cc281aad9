"""Emotions over time for charts: condensed when a segment is stored, read for any stretch of a video at any fineness.

Measured by benchmarks/chart.py: the database's own aggregates take seconds over three hours of rows, cells take a
fraction of one. Faces are put together as they are read, so nothing is computed anew when people merge or hide them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Float, exists, select, text, type_coerce
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Observation, Segment, SegmentCurves, Tracklet, Video
from emotion_timeline.downsampling import (
    CELL_S,
    FACE_CELL,
    FRAME_CELL,
    Cells,
    condense,
    condense_faces,
    condense_frames,
    single_frames,
    slots,
)
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, blank
from emotion_timeline.views.cast import ShownFace

_SHORTEST_S = 1e-3
_FRAMES_FROM_ROWS = 20_000  # of a stretch with more frames the cells are read instead of the rows
_INSERT = text(
    "INSERT INTO segment_curves (segment_id, first_timestamp_s, last_timestamp_s, faces, frames) "
    "VALUES (:segment_id, :first_timestamp_s, :last_timestamp_s, :faces, :frames) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class Curves:
    """A stretch of a video as a chart shows it.

    Attributes:
        bucket_s: each point stands for a stretch of this length on a grid from 0, seconds; 0.0: for one frame.
        faces: FACE_CELL by face as shown and by time; `first` and `last` count the sampled frames of the stretch, so a
            point whose `first` doesn't follow the `last` before it has a gap there.
        frames: FRAME_CELL by time.
    """

    bucket_s: float
    faces: Cells
    frames: Cells


def replace(session: Session, segment_id: int, blocks: Sequence[Observations]) -> None:
    """Store a segment's rows condensed, in place of any earlier ones; see results.store_segment."""
    earlier = session.get(SegmentCurves, segment_id)
    if earlier is not None:
        session.delete(earlier)
        session.flush()
    _insert(session, segment_id, np.concatenate([blank(0), *blocks]))


def missing(session: Session, video_id: str) -> list[int]:
    """Segments of a video that were stored by a version without charts of this kind."""
    known = exists().where(SegmentCurves.segment_id == Segment.id)
    return list(session.scalars(select(Segment.id).where(Segment.video_id == video_id, ~known)))


def fill(session: Session, segment_id: int) -> None:
    """Condense the stored rows of a finished segment; nothing happens if it is condensed or deleted by now."""
    if session.get(Segment, segment_id, with_for_update=True) is not None:
        _insert(session, segment_id, _rows(session, segment_id, -math.inf, math.inf))


def _insert(session: Session, segment_id: int, observations: Observations) -> None:
    faces, frames = condense(observations)
    times = observations["timestamp_s"] if len(observations) else np.zeros(1)
    values = {"first_timestamp_s": float(times.min()), "last_timestamp_s": float(times.max())}
    blobs = {"faces": faces.tobytes(), "frames": frames.tobytes()}
    session.execute(_INSERT, {"segment_id": segment_id, **values, **blobs})


def read(
    session: Session, video: Video, shown: Mapping[int, ShownFace], from_s: float, to_s: float, points: int
) -> Curves:
    """The emotions and the statuses of a stretch.

    Args:
        session: an open session.
        video: a done video, none of whose segments is `missing`.
        shown: what each tracked face is shown as; hidden ones are left out.
        from_s, to_s: the stretch, seconds from the first frame.
        points: at most about so many for each face; every frame when there are no more.
    """
    width_s = 2.0 ** math.ceil(math.log2(max(to_s - from_s, _SHORTEST_S) / points))
    of_rows = _frames_expected(video, to_s - from_s) <= max(_FRAMES_FROM_ROWS, points)
    if not of_rows:
        width_s = max(width_s, CELL_S)
    start_s, end_s = math.floor(from_s / width_s) * width_s, (math.floor(to_s / width_s) + 1) * width_s
    faces, frames = _stretch(session, video.id, shown, start_s, end_s, of_rows)
    if of_rows and len(frames) <= points:
        return Curves(0.0, condense_faces(faces, faces["first"].astype(np.int64)), frames)
    return Curves(
        width_s,
        condense_faces(faces, slots(faces["timestamp_s"], width_s)),
        condense_frames(frames, slots(frames["timestamp_s"], width_s)),
    )


def _frames_expected(video: Video, length_s: float) -> float:
    """How many sampled frames a stretch has, about; exactly for constant rates."""
    duration_s: float = video.info["duration_s"]
    return (video.frames_total or 0) * length_s / max(duration_s, length_s, _SHORTEST_S)


def _stretch(
    session: Session, video_id: str, shown: Mapping[int, ShownFace], start_s: float, end_s: float, of_rows: bool
) -> tuple[Cells, Cells]:
    """All cells of a stretch, from rows or as stored, with faces as shown and frames counted through."""
    faces_of = _faces_by_tracklet(session, video_id, shown)
    all_faces, all_frames = [np.zeros(0, FACE_CELL)], [np.zeros(0, FRAME_CELL)]
    place = 0
    for segment in _segments(session, video_id, start_s, end_s):
        if of_rows:
            faces, frames = single_frames(_rows(session, segment.segment_id, start_s, end_s))
        else:
            faces, frames = np.frombuffer(segment.faces, FACE_CELL), np.frombuffer(segment.frames, FRAME_CELL)
        faces = _within(faces, start_s, end_s)  # a copy
        faces["face"] = faces_of.get(segment.segment_id, _NOBODY)[faces["face"]]
        for name in ("first", "last"):
            faces[name] += place
        place += int(frames["frames"].sum())
        all_faces.append(faces[faces["face"] > 0])
        all_frames.append(_within(frames, start_s, end_s))
    return np.concatenate(all_faces), np.concatenate(all_frames)


def _within(cells: Cells, start_s: float, end_s: float) -> Cells:
    times = cells["timestamp_s"]
    return cells[(start_s <= times) & (times < end_s)]


_NOBODY = np.zeros(0, np.int32)


def _faces_by_tracklet(
    session: Session, video_id: str, shown: Mapping[int, ShownFace]
) -> dict[int, np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """For each segment the face that each of its tracklets is shown as, by tracklet number; 0 where it is hidden."""
    found: dict[int, dict[int, int]] = {}
    tracklets = select(Tracklet.segment_id, Tracklet.number, Tracklet.face_id).join(Segment)
    for segment_id, number, face_id in session.execute(tracklets.where(Segment.video_id == video_id)):
        face = shown.get(face_id) if face_id is not None else None
        found.setdefault(segment_id, {})[number] = 0 if face is None or face.hidden else face.face_id
    lookup = {}
    for segment_id, faces in found.items():
        lookup[segment_id] = np.zeros(max(faces) + 1, np.int32)
        lookup[segment_id][list(faces)] = list(faces.values())
    return lookup


def _segments(session: Session, video_id: str, start_s: float, end_s: float) -> Sequence[SegmentCurves]:
    """The condensed segments that overlap a stretch, in order."""
    overlapping = (SegmentCurves.last_timestamp_s >= start_s) & (SegmentCurves.first_timestamp_s < end_s)
    found = (
        select(SegmentCurves).join(Segment).where(Segment.video_id == video_id, overlapping).order_by(Segment.number)
    )
    return session.scalars(found).all()


def _rows(session: Session, segment_id: int, start_s: float, end_s: float) -> Observations:
    """A segment's rows as far as curves need them: frame, time, status, tracklet and probabilities."""
    whole = (Observation.frame, Observation.timestamp_s, Observation.status, Observation.tracklet)
    # As plain floats: turning 20,000 rows' singles into Python's nearest doubles would take most of the time.
    single = [type_coerce(getattr(Observation, emotion), Float) for emotion in EMOTIONS]
    rows = session.execute(
        select(*whole, *single)
        .where(Observation.segment_id == segment_id)
        .where(*([] if start_s == -math.inf else [Observation.timestamp_s >= start_s, Observation.timestamp_s < end_s]))
        .order_by(Observation.frame, Observation.face)
    ).all()
    table = np.array(rows, np.float64).reshape(len(rows), len(whole) + len(single))
    observations = blank(len(rows))
    for place, name in enumerate(("frame", "timestamp_s", "status")):
        observations[name] = table[:, place]
    observations["tracklet"] = np.nan_to_num(table[:, 3], nan=-1)
    observations["probabilities"] = table[:, 4:]
    return observations
