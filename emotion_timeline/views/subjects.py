"""What pictures and overlay show: the frames worth a picture, and what faces are called."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, undefer

from emotion_timeline.db.tables import Observation, Segment, Video
from emotion_timeline.db.work import SegmentRow
from emotion_timeline.observations import Status
from emotion_timeline.views import cast, moments

_THUMBNAIL_PART = 0.1  # of the recording: behind a black or empty beginning
_THUMBNAIL_RANKS = {Status.OK.value: 0, Status.TOO_SMALL.value: 1, Status.NO_FACE.value: 2}

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels of the frame as displayed."""


@dataclass(frozen=True)
class WantedFrames:
    """Frames worth a picture.

    Attributes:
        thumbnail: the frame that stands for the video.
        faces: the best frame of each face, by the face's number, and where it is there.
        moments: frames of moments, and where the face is.
    """

    thumbnail: int
    faces: dict[int, tuple[int, Box]]
    moments: dict[int, Box]

    @property
    def frames(self) -> set[int]:
        """All of them."""
        return {self.thumbnail, *(frame for frame, _ in self.faces.values()), *self.moments}


def wanted_frames(session: Session, video: Video) -> WantedFrames:
    """Frames worth a picture of a video that is done and whose faces are stored."""
    return WantedFrames(
        thumbnail=_thumbnail(session, video),
        faces={face.face_id: (face.best_frame, _box(face.best_box)) for face in cast.rows(session, video.id)},
        moments={moment.frame: _box(moment.box) for moment in moments.strongest(session, video.id)},
    )


def _box(values: Sequence[float]) -> Box:
    x, y, width, height = values
    return x, y, width, height


def _thumbnail(session: Session, video: Video) -> int:
    """The frame nearest to a tenth of the recording that has a face; or else a picture at least."""
    around_s = video.info["duration_s"] * _THUMBNAIL_PART
    rank = case(_THUMBNAIL_RANKS, value=Observation.status, else_=len(_THUMBNAIL_RANKS))
    frames = select(Observation.frame).join(Segment, Segment.id == Observation.segment_id)
    nearest = frames.where(Segment.video_id == video.id).order_by(rank, func.abs(Observation.timestamp_s - around_s))
    return session.scalars(nearest.limit(1)).one()


def segments_with(session: Session, video_id: str, frames: Collection[int]) -> list[SegmentRow]:
    """The segments that hold these frames, narrowed to them, in order."""
    here = select(Observation.segment_id).join(Segment, Segment.id == Observation.segment_id)
    holding = here.where(Segment.video_id == video_id, Observation.frame.in_(frames))
    whole = select(Segment).options(undefer(Segment.frames), undefer(Segment.pts)).order_by(Segment.number)
    return [_narrowed(segment, frames) for segment in session.scalars(whole.where(Segment.id.in_(holding)))]


def _narrowed(segment: Segment, frames: Collection[int]) -> SegmentRow:
    row = SegmentRow.of(segment)
    kept = np.isin(row.frames, list(frames))
    return replace(row, frames=row.frames[kept], pts=row.pts[kept])


def labels(session: Session, video_id: str) -> dict[int, str | None]:
    """What each face that was followed is called, by its number; None for one that is hidden."""
    shown = cast.shown(session, video_id)
    return {number: None if f.hidden else f.name or f"P{f.face_id}" for number, f in shown.items()}
