"""Emotions over time for charts: condensed when a segment is stored, read for any stretch of a video at any fineness.

Measured by benchmarks/chart.py: the database's own aggregates take seconds over three hours of rows, cells take a
fraction of one. Faces are put together as they are read, so nothing is computed anew when people merge or hide them;
only where faces that count as one are seen together, rows are read again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from emotion_timeline import shares
from emotion_timeline.clip import Clip
from emotion_timeline.db import segments
from emotion_timeline.db.tables import Segment, SegmentCurves, Tracklet, Video
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
from emotion_timeline.observations import Observations
from emotion_timeline.views.cast import ShownFace

_SHORTEST_S = 1e-3
_FRAMES_FROM_ROWS = 20_000  # of a stretch with more frames the cells are read instead of the rows


@dataclass(frozen=True)
class Curves:
    """A stretch of a video as a chart shows it.

    Attributes:
        bucket_s: each point stands for a stretch of this length on a grid from 0, seconds; 0.0: for one frame.
        faces: FACE_CELL by face as shown and by time; `first` and `last` count the sampled frames of the stretch, so a
            point whose `first` doesn't follow the `last` before it has a gap there.
        frames: FRAME_CELL by time.
        counted: FACE_CELL like `faces`, of CELL_S and of the very stretch that was asked for, to count frames by: where
            more than 20,000 frames are expected, to the next cell.
    """

    bucket_s: float
    faces: Cells
    frames: Cells
    counted: Cells

    def emotion_frames(self, face_id: int | None = None) -> dict[str, int]:
        """Classified frames of a face, or of all, by their most probable emotion."""
        cells = self.counted if face_id is None else self.counted[self.counted["face"] == face_id]
        return dict(zip(EMOTIONS, cells["emotions"].sum(axis=0).tolist(), strict=True))


def replace(session: Session, segment_id: int, observations: Observations) -> None:
    """Store a segment's rows condensed, in place of any earlier ones; see results.store_segment."""
    faces, frames = condense(observations)
    times = observations["timestamp_s"] if len(observations) else np.zeros(1)
    curves = session.get(SegmentCurves, segment_id) or SegmentCurves(segment_id=segment_id)
    curves.first_timestamp_s, curves.last_timestamp_s = float(times.min()), float(times.max())
    curves.faces, curves.frames = faces.tobytes(), frames.tobytes()
    session.add(curves)


def read(
    session: Session, video: Video, shown: Mapping[int, ShownFace], from_s: float, to_s: float, points: int
) -> Curves:
    """The emotions and the statuses of a stretch.

    Args:
        session: an open session.
        video: a done video.
        shown: what each tracked face is shown as; hidden ones are left out.
        from_s, to_s: the stretch, seconds from the first frame.
        points: at most about so many for each face; every frame when there are no more.
    """
    width_s = 2.0 ** math.ceil(math.log2(max(to_s - from_s, _SHORTEST_S) / points))
    of_rows = _frames_expected(video, from_s, to_s) <= max(_FRAMES_FROM_ROWS, points)
    if not of_rows:
        width_s = max(width_s, CELL_S)
    start_s, end_s = math.floor(from_s / width_s) * width_s, (math.floor(to_s / width_s) + 1) * width_s
    faces, frames = _stretch(session, video.id, shown, start_s, end_s, of_rows)
    asked = faces[(faces["timestamp_s"] >= from_s) & (faces["timestamp_s"] <= to_s)]
    counted = condense_faces(asked, slots(asked["timestamp_s"], CELL_S))
    if of_rows and len(frames) <= points:
        return Curves(0.0, condense_faces(faces, faces["first"].astype(np.int64)), frames, counted)
    return Curves(
        width_s,
        condense_faces(faces, slots(faces["timestamp_s"], width_s)),
        condense_frames(frames, slots(frames["timestamp_s"], width_s)),
        counted,
    )


def _frames_expected(video: Video, from_s: float, to_s: float) -> float:
    """How many sampled frames a stretch has, about; exactly for constant rates."""
    clip_from_s, clip_to_s = Clip(video.clip_start_s, video.clip_end_s).within(video.info["duration_s"])
    length_s = max(clip_to_s - clip_from_s, _SHORTEST_S)
    inside_s = max(min(to_s, clip_to_s) - max(from_s, clip_from_s), 0.0)
    return (video.frames_total or 0) * inside_s / length_s


def _stretch(
    session: Session, video_id: str, shown: Mapping[int, ShownFace], start_s: float, end_s: float, of_rows: bool
) -> tuple[Cells, Cells]:
    """All cells of a stretch, from rows or as stored, with faces as shown and frames counted through."""
    shown_faces = _faces_by_tracklet(session, video_id, shown)
    all_faces, all_frames = [np.zeros(0, FACE_CELL)], [np.zeros(0, FRAME_CELL)]
    place = 0
    for segment in _segments(session, video_id, start_s, end_s):
        here = shown_faces.get(segment.segment_id, _NOTHING)
        if of_rows or here.together:
            faces, frames = _of_rows(session, segment.segment_id, here.faces, start_s, end_s)
            if not of_rows:
                faces = condense_faces(faces, slots(faces["timestamp_s"], CELL_S))
                frames = condense_frames(frames, slots(frames["timestamp_s"], CELL_S))
        else:
            faces = _within(np.frombuffer(segment.faces, FACE_CELL), start_s, end_s)  # a copy
            faces["face"] = here.faces[faces["face"]]
            frames = np.frombuffer(segment.frames, FRAME_CELL)
        for name in ("first", "last"):
            faces[name] += place
        place += int(frames["frames"].sum())
        all_faces.append(faces[faces["face"] > 0])
        all_frames.append(_within(frames, start_s, end_s))
    return np.concatenate(all_faces), np.concatenate(all_frames)


def _of_rows(
    session: Session, segment_id: int, shown: NDArray[np.int32], start_s: float, end_s: float
) -> tuple[Cells, Cells]:
    """Each frame of a stretch of a segment as a cell, each face as shown and once in a frame."""
    rows = segments.read(session, segment_id, start_s, end_s)
    rows["tracklet"] = np.append(shown, 0)[rows["tracklet"]]  # the last place is for rows without a face
    faces, _ = single_frames(rows[shares.once_per_frame(rows, rows["tracklet"])])
    return faces, single_frames(rows)[1]


def _within(cells: Cells, start_s: float, end_s: float) -> Cells:
    times = cells["timestamp_s"]
    return cells[(start_s <= times) & (times < end_s)]


@dataclass(frozen=True)
class _ShownTracklets:
    """What the tracklets of a segment are shown as.

    Attributes:
        faces: int32, the face by the tracklet's number; 0 where it is hidden.
        together: whether two that are shown as one face are seen at the same time.
    """

    faces: NDArray[np.int32]
    together: bool


_NOTHING = _ShownTracklets(np.zeros(0, np.int32), False)


def _faces_by_tracklet(session: Session, video_id: str, shown: Mapping[int, ShownFace]) -> dict[int, _ShownTracklets]:
    """What the tracklets of each segment are shown as."""
    names = ("segment_id", "number", "face_id", "first_timestamp_s", "last_timestamp_s")
    query = select(*(getattr(Tracklet, name) for name in names)).join(Segment).where(Segment.video_id == video_id)
    found = {}
    rows = session.execute(query.order_by(Tracklet.segment_id, Tracklet.number))
    for segment_id, tracklets in groupby(rows, key=lambda row: row.segment_id):
        own = list(tracklets)
        faces = np.zeros(own[-1].number + 1, np.int32)
        spans_s: dict[int, list[tuple[float, float]]] = {}
        for row in own:
            face = shown.get(row.face_id)
            if face is not None and not face.hidden:
                faces[row.number] = face.face_id
                spans_s.setdefault(face.face_id, []).append((row.first_timestamp_s, row.last_timestamp_s))
        found[segment_id] = _ShownTracklets(faces, any(map(shares.are_seen_together, spans_s.values())))
    return found


def _segments(session: Session, video_id: str, start_s: float, end_s: float) -> Sequence[SegmentCurves]:
    """The condensed segments that overlap a stretch, in order."""
    overlapping = (SegmentCurves.last_timestamp_s >= start_s) & (SegmentCurves.first_timestamp_s < end_s)
    found = (
        select(SegmentCurves).join(Segment).where(Segment.video_id == video_id, overlapping).order_by(Segment.number)
    )
    return session.scalars(found).all()
