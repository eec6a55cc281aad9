"""A timeline reduced to what a screen can show: means over stretches of frames, at most some thousand points a face.

Where a face is missing from a sampled stretch the line is broken by a null: gaps are drawn as gaps, never bridged.
"""

import math
from typing import Any

from sqlalchemy.orm import Session

from worker.db import timelines
from worker.db.tables import Video
from worker.db.timelines import ChartPoint
from worker.emotions import EMOTIONS

_POINTS = 2000  # over the whole length, a little more than a wide screen has columns


def chart(session: Session, video: Video) -> dict[str, Any]:
    """Emotions over time for every face.

    Returns:
        `emotions`, `duration_s`, `frames_per_point`, and `faces`: for each its `face_id`, `timestamp_s` (seconds from
        the first frame) and `probabilities`, a list as long for each emotion; null in all of them marks a gap.
    """
    frames_per_point = max(1, math.ceil(video.info["frame_count"] * _share(video) / _POINTS))
    stretches = timelines.sampled_stretches(session, video.id, frames_per_point)
    places = {stretch: place for place, stretch in enumerate(stretches)}
    faces: dict[int, _Line] = {}
    for point in timelines.chart(session, video.id, frames_per_point):
        if point.face_id is not None:
            faces.setdefault(point.face_id, _Line()).add(point, places[point.stretch])
    return {
        "video_id": video.id,
        "emotions": list(EMOTIONS),
        "duration_s": video.info["duration_s"],
        "frames_per_point": frames_per_point,
        "faces": [{"face_id": face_id, **line.columns()} for face_id, line in sorted(faces.items())],
    }


def _share(video: Video) -> float:
    """How much of the recording's length is analysed, 0-1."""
    duration_s = video.info["duration_s"]
    start_s, end_s = video.clip_start_s or 0.0, video.clip_end_s or duration_s
    return (min(end_s, duration_s) - start_s) / duration_s if duration_s > 0 else 1.0


class _Line:
    """The points of one face, in order of time."""

    def __init__(self) -> None:
        self._times: list[float | None] = []
        self._values: list[list[float | None]] = [[] for _ in EMOTIONS]
        self._place: int | None = None

    def add(self, point: ChartPoint, place: int) -> None:
        """Append a point; `place` counts the stretches that were sampled, so a step of more than 1 is a gap."""
        if self._place is not None and place != self._place + 1:
            self._append(None, [None] * len(EMOTIONS))
        self._append(round(point.timestamp_s, 3), [round(value, 4) for value in point.probabilities])
        self._place = place

    def _append(self, timestamp_s: float | None, probabilities: list[float] | list[None]) -> None:
        self._times.append(timestamp_s)
        for values, probability in zip(self._values, probabilities, strict=True):
            values.append(probability)

    def columns(self) -> dict[str, Any]:
        """As the API shows them."""
        return {"timestamp_s": self._times, "probabilities": dict(zip(EMOTIONS, self._values, strict=True))}
