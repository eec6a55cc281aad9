"""Where on the time line of a recording faces were found, and where not: from what segments keep for charts, so that
hours are read in a moment."""

import math
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Segment, SegmentCurves
from emotion_timeline.downsampling import CELL_S, FRAME_CELL, condense_frames, slots
from emotion_timeline.observations import RANKING


@dataclass(frozen=True)
class FrameCounts:
    """Some frames in a row, counted by status.

    Attributes:
        start_s: time of the first analysed one, from the recording's first frame.
        end_s: where the next stretch begins, since a frame stands until the next one; of the last, infinity.
        frames: analysed frames by status, from the best on; a frame with several faces counts with its best.
    """

    start_s: float
    end_s: float
    frames: dict[str, int]


def stretches(session: Session, video_id: str, span_s: float, most: int) -> list[FrameCounts]:
    """A video cut into stretches of half a second, or a multiple of it, without those where nothing was analysed.

    Args:
        session: an open session.
        video_id: a done video.
        span_s: length of what was analysed, in seconds.
        most: about so many at the most.
    """
    stored = select(SegmentCurves.frames).join(Segment).where(Segment.video_id == video_id).order_by(Segment.number)
    cells = np.concatenate([np.zeros(0, FRAME_CELL), *(np.frombuffer(b, FRAME_CELL) for b in session.scalars(stored))])
    length_s = CELL_S * max(1, math.ceil(span_s / CELL_S / most))
    cells = condense_frames(cells, slots(cells["timestamp_s"], length_s))
    starts_s = cells["timestamp_s"].tolist()
    counts = cells["frames"][:, list(RANKING)].tolist()
    names = [status.name.lower() for status in RANKING]
    return [
        FrameCounts(start_s, end_s, dict(zip(names, frames, strict=True)))
        for start_s, end_s, frames in zip(starts_s, [*starts_s[1:], math.inf], counts, strict=True)
    ]
