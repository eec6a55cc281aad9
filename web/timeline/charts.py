"""The timeline reduced to what a screen can show: means and extremes over stretches of time, or every frame.

Where a face is missing from a sampled frame the line is broken by a null: gaps are drawn as gaps, never bridged.
"""

from typing import Any

import numpy as np
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
from emotion_timeline.views.shown import shots
from web.http.problems import Problem
from web.http.sentences import chart_sentence
from web.timeline.schemas import ChartBody, ChartClip, ChartQuery, ChartSummary


def chart(session: Session, video: Video, asked: ChartQuery) -> ChartBody:
    """A stretch of a done video as lines; see curves.read.

    Raises:
        Problem: 400, the stretch ends before it starts.
    """
    duration_s = video.info["duration_s"]
    to_s = max(duration_s, asked.from_s) if asked.to_s is None else asked.to_s
    if to_s < asked.from_s:
        sentence = f"`to_s` was expected not to be before `from_s` ({asked.from_s:g}), but is {to_s:g}."
        raise Problem(400, "bad_to_s", sentence)
    shown = cast.shown(session, video.id)
    found = curves.read(session, video, shown, asked.from_s, to_s, asked.points)
    names = {face.face_id: face.name for face in shown.values()}
    lines = _by_face(found.faces)
    most_seen = max(lines, key=lambda face: int(lines[face]["frames"].sum()), default=0)
    wanted = most_seen if asked.face_id == "main" else asked.face_id
    return ChartBody(
        video_id=video.id,
        emotions=list(EMOTIONS),
        duration_s=duration_s,
        clip=_clip(video),
        from_s=asked.from_s,
        to_s=to_s,
        bucket_s=found.bucket_s,
        faces=[
            _face(cells, names[face]) | (_line(cells, found.bucket_s) if wanted in (None, face) else {})
            for face, cells in lines.items()
        ],
        cuts_s=_cuts(video, asked.from_s, to_s),
        quality=_quality(found.frames),
        summary=_summary(found, wanted),
    )


def _cuts(video: Video, from_s: float, to_s: float) -> list[float]:
    return [round(begin_s, 6) for _, begin_s in shots(video)[1:] if from_s <= begin_s <= to_s]


def _by_face(cells: Cells) -> dict[int, Cells]:
    starts = np.flatnonzero(np.diff(cells["face"], prepend=-1))
    return {int(part["face"][0]): part for part in np.split(cells, starts[1:]) if len(part)}


def _summary(found: Curves, face_id: int | None) -> ChartSummary:
    emotion_frames = found.emotion_frames(face_id)
    own = _by_face(found.counted).get(face_id or 0)
    return ChartSummary(
        face_id=face_id or None,
        emotion_frames=emotion_frames,
        emotion_shares=shares_of(emotion_frames),
        sentence=chart_sentence(emotion_frames, {} if own is None else longest_runs(own)),
    )


def _clip(video: Video) -> ChartClip | None:
    clip = Clip(video.clip_start_s, video.clip_end_s)
    if clip.is_whole:
        return None
    start_s, end_s = clip.within(video.info["duration_s"])
    return ChartClip(start_s=start_s, end_s=end_s)


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
