"""The timeline reduced to what a screen can show: means and extremes over stretches of time, or every frame.

Where a face is missing from a sampled frame the line is broken by a null: gaps are drawn as gaps, never bridged.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from flask import request
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from emotion_timeline.clip import Clip
from emotion_timeline.db.tables import Video
from emotion_timeline.downsampling import Cells, longest_runs
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Status
from emotion_timeline.shares import shares_of
from emotion_timeline.views import cast, curves
from emotion_timeline.views.curves import Curves
from web.http.openapi import Parameter
from web.http.parameters import seconds, whole_number
from web.http.problems import Problem
from web.http.sentences import chart_sentence

MAIN = "main"
"""Asks for the face that is seen in most frames."""

_FEWEST_POINTS, _MOST_POINTS = 10, 4000
_POINTS = 2000  # a little more than a wide screen has columns
_LARGEST_FACE_ID = 2**31 - 1
_LONGEST_S = 1e7
STRETCH = (
    Parameter("from_s", "Start of the stretch.", {"type": "number", "minimum": 0, "maximum": _LONGEST_S, "default": 0}),
    Parameter("to_s", "Its end; without it the recording's.", {"type": "number", "minimum": 0, "maximum": _LONGEST_S}),
    Parameter(
        "points",
        "Most points of a line; with no more frames than that every frame is one.",
        {"type": "integer", "minimum": _FEWEST_POINTS, "maximum": _MOST_POINTS, "default": _POINTS},
    ),
    Parameter(
        "face_id",
        "Whose line to send: a face's number, or \"main\" for the one in most frames; without it everybody's.",
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": _LARGEST_FACE_ID}, {"const": MAIN}]},
    ),
)
"""What asked() reads, as the API's description tells it."""


@dataclass(frozen=True)
class ChartRequest:
    """What is asked for.

    Attributes:
        from_s, to_s: seconds from the first frame.
        points: most points of a line.
        face_id: whose line: a number, MAIN, or None for everybody's.
    """

    from_s: float
    to_s: float
    points: int
    face_id: int | str | None


def asked(duration_s: float) -> ChartRequest:
    """What the request's address asks for; by default everything of a recording of this length.

    Raises:
        Problem: 400, one of its parameters is out of bounds.
    """
    from_s = seconds("from_s", default=0.0, highest=_LONGEST_S)
    to_s = seconds("to_s", default=max(duration_s, from_s), highest=_LONGEST_S)
    if to_s < from_s:
        raise Problem(400, "bad_to_s", f"`to_s` was expected not to be before `from_s` ({from_s:g}), but is {to_s:g}.")
    points = whole_number("points", default=_POINTS, lowest=_FEWEST_POINTS, highest=_MOST_POINTS)
    face_id = request.args.get("face_id")
    if face_id in (None, MAIN):
        return ChartRequest(from_s, to_s, points, face_id)
    return ChartRequest(from_s, to_s, points, whole_number("face_id", default=0, lowest=1, highest=_LARGEST_FACE_ID))


def chart(session: Session, video: Video, asked: ChartRequest) -> dict[str, Any]:
    """A stretch of a done video as lines; see curves.read.

    Returns:
        `clip` (the part that was analysed; null: the whole), `bucket_s` (length of time that a point stands for; 0: it
        is one frame), `faces`, all that are shown in the stretch, `quality`, and `summary`, which tells what the face
        whose line was asked for shows in it, or all faces together. A face whose line was asked for has `timestamp_s`,
        `frames`, `probabilities` and, unless a point is one frame, `lowest` and `highest`, as lists of one length; null
        in all of them marks a gap.
    """
    shown = cast.shown(session, video.id)
    found = curves.read(session, video, shown, asked.from_s, asked.to_s, asked.points)
    names = {face.face_id: face.name for face in shown.values()}
    lines = _by_face(found.faces)
    wanted = asked.face_id
    if wanted == MAIN:
        wanted = max(lines, key=lambda face: int(lines[face]["frames"].sum()), default=0)
    return {
        "video_id": video.id,
        "emotions": list(EMOTIONS),
        "duration_s": video.info["duration_s"],
        "clip": _clip(video),
        "from_s": asked.from_s,
        "to_s": asked.to_s,
        "bucket_s": found.bucket_s,
        "faces": [
            _face(cells, names[face]) | (_line(cells, found.bucket_s) if wanted in (None, face) else {})
            for face, cells in lines.items()
        ],
        "quality": _quality(found.frames),
        "summary": _summary(found, None if wanted is None else int(wanted)),
    }


def _by_face(cells: Cells) -> dict[int, Cells]:
    starts = np.flatnonzero(np.diff(cells["face"], prepend=-1))
    return {int(part["face"][0]): part for part in np.split(cells, starts[1:]) if len(part)}


def _summary(found: Curves, face_id: int | None) -> dict[str, Any]:
    """What a face, or all together, show in a stretch, in numbers and in words."""
    emotion_frames = found.emotion_frames(face_id)
    own = _by_face(found.counted).get(face_id or 0)
    return {
        "face_id": face_id or None,
        "emotion_frames": emotion_frames,
        "emotion_shares": {emotion: round(share, 6) for emotion, share in shares_of(emotion_frames).items()},
        "sentence": chart_sentence(emotion_frames, {} if own is None else longest_runs(own)),
    }


def _clip(video: Video) -> dict[str, float] | None:
    clip = Clip(video.clip_start_s, video.clip_end_s)
    if clip.is_whole:
        return None
    start_s, end_s = clip.within(video.info["duration_s"])
    return {"start_s": start_s, "end_s": end_s}


def _face(cells: Cells, name: str | None) -> dict[str, Any]:
    return {
        "face_id": int(cells["face"][0]),
        "name": name,
        "frames_seen": int(cells["frames"].sum()),
        "first_timestamp_s": round(float(cells["timestamp_s"][0]), 6),
        "last_timestamp_s": round(float(cells["timestamp_s"][-1]), 6),
    }


def _line(cells: Cells, bucket_s: float) -> dict[str, Any]:
    breaks = np.flatnonzero(cells["first"][1:] > cells["last"][:-1] + 1) + 1
    line: dict[str, Any] = {
        "timestamp_s": _broken(cells["timestamp_s"], breaks, 6),
        "frames": _broken(cells["frames"], breaks, None),
    }
    for name, field in (("probabilities", "mean"), ("lowest", "lowest"), ("highest", "highest")):
        if field == "mean" or bucket_s:
            columns = cells[field].T
            line[name] = {e: _broken(column, breaks, 4) for e, column in zip(EMOTIONS, columns, strict=True)}
    return line


def _broken(values: NDArray[Any], breaks: NDArray[np.intp], decimals: int | None) -> list[float | None]:
    """As the API shows a column, rounded unless decimals is None, with a null where the line is broken."""
    column = (values if decimals is None else np.round(values.astype(np.float64), decimals)).tolist()
    runs = np.split(np.arange(len(column)), breaks)
    return [value for run in runs for value in (None, *(column[place] for place in run))][1:]


def _quality(frames: Cells) -> dict[str, Any]:
    """Sampled frames by status: at each time, of the frames from then until the next time."""
    counts = {status.name.lower(): frames["frames"][:, status].tolist() for status in Status}
    return {"timestamp_s": np.round(frames["timestamp_s"], 6).tolist(), **counts}
