"""Claims, leases and the queue, on SQLite and PostgreSQL: one piece of work is done once, and nothing is lost."""

from datetime import datetime, timedelta, tzinfo

import pytest
from sqlalchemy import select, update

from emotion_timeline.db import leases, turns, videos, work
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Observation, Segment, SegmentStatus, Step, Video, VideoStatus
from emotion_timeline.db.turns import Task
from emotion_timeline.errors import LeaseLost
from tests.records import ATTEMPTS, add, claim, complete, expire, finish, plan, rows, status, write


def test_a_segment_is_claimed_by_one_worker_at_a_time(database: Database) -> None:
    segment_ids = plan(database, add(database))
    assert claim(database, segment_ids[0]) is not None
    assert claim(database, segment_ids[0]) is None
    assert claim(database, segment_ids[1]) is not None


def test_a_worker_whose_lease_ran_out_cannot_write(database: Database) -> None:
    segment_ids = plan(database, add(database), segments=1)
    slow = claim(database, segment_ids[0])
    expire(database)
    quick = claim(database, segment_ids[0])
    assert slow is not None and quick is not None
    with database.write() as session, pytest.raises(LeaseLost):
        work.renew(session, slow, 60)
    with pytest.raises(LeaseLost):
        write(database, slow, [rows([9])])
    write(database, quick, [rows([0, 1, 2, 3])])
    with pytest.raises(LeaseLost):
        write(database, slow, [rows([9])])
    with database.read() as session:
        assert list(session.scalars(select(Observation.frame))) == [0, 1, 2, 3]


def test_a_finished_segment_is_never_claimed_again(database: Database) -> None:
    segment_ids = plan(database, add(database))
    claimed = claim(database, segment_ids[0])
    assert claimed is not None
    write(database, claimed, [rows([0])])
    expire(database)
    assert claim(database, segment_ids[0]) is None


def test_giving_back_makes_a_segment_free_and_costs_no_attempt(database: Database) -> None:
    (segment_id,) = plan(database, add(database), segments=1)
    for _ in range(2 * ATTEMPTS):
        claimed = claim(database, segment_id)
        assert claimed is not None
        with database.write() as session:
            work.give_back(session, claimed, count_attempt=False)


def test_a_segment_that_kills_its_worker_too_often_fails_the_video_with_a_sentence(database: Database) -> None:
    video_id = add(database)
    segment_ids = plan(database, video_id, segments=1)
    for _ in range(ATTEMPTS):
        assert claim(database, segment_ids[0]) is not None
        expire(database)
    assert claim(database, segment_ids[0]) is None
    with database.read() as session:
        video = videos.get(session, video_id)
        assert (video.status, video.error_code) == (VideoStatus.FAILED, "crashed")
        assert "from 0:00 on (segment 1) stopped the analysis process 3 times" in (video.error_message or "")


def test_planning_that_kills_its_worker_too_often_fails_the_video(database: Database) -> None:
    video_id = add(database)
    for _ in range(ATTEMPTS):
        with database.write() as session:
            assert work.claim_step(session, video_id, Step.PLAN, 60, ATTEMPTS) is not None
        expire(database)
    with database.write() as session:
        assert work.claim_step(session, video_id, Step.PLAN, 60, ATTEMPTS) is None
    assert status(database, video_id) is VideoStatus.FAILED


def test_the_sweep_ends_the_leases_of_dead_workers_only(database: Database) -> None:
    dead, alive = plan(database, add(database), segments=2)
    assert claim(database, dead) is not None
    expire(database)
    assert claim(database, alive) is not None
    with database.write() as session:
        work.sweep(session)
    with database.read() as session:
        found = {s.id: (s.status, s.lease_token is None) for s in session.scalars(select(Segment))}
    assert found == {dead: (SegmentStatus.PENDING, True), alive: (SegmentStatus.RUNNING, False)}


def test_a_worker_that_lost_its_lease_cannot_fail_the_video(database: Database) -> None:
    video_id = add(database)
    (segment_id,) = plan(database, video_id, segments=1)
    slow = claim(database, segment_id)
    expire(database)
    quick = claim(database, segment_id)
    assert slow is not None and quick is not None
    with database.write() as session, pytest.raises(LeaseLost):
        work.fail(session, slow, "not_found", "It is gone.")
    assert status(database, video_id) is VideoStatus.RUNNING
    with database.write() as session:
        work.fail(session, quick, "not_found", "It is gone.")
    assert status(database, video_id) is VideoStatus.FAILED


def test_a_lease_of_a_clock_that_went_ahead_has_expired(database: Database) -> None:
    (segment_id,) = plan(database, add(database), segments=1)
    assert claim(database, segment_id) is not None
    ahead = videos.now() + timedelta(minutes=10)
    with database.write() as session:
        session.execute(update(Segment).values(lease_from=ahead, lease_until=ahead + timedelta(seconds=60)))
    assert claim(database, segment_id) is not None


def test_leases_go_by_the_clock_of_the_database(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(postgres_url)
    migrate(database)
    (segment_id,) = plan(database, add(database), segments=1)
    assert claim(database, segment_id) is not None
    monkeypatch.setattr(leases, "datetime", Ahead)
    assert claim(database, segment_id) is None, "it is owned, whatever this worker's clock says"
    database.close()


class Ahead(datetime):
    """The clock of a machine that is an hour fast."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Ahead":
        return super().now(tz) + timedelta(hours=1)


def tasks(database: Database, networks: dict[str, list[str]] | None = None) -> list[tuple[Task, str | int]]:
    with database.read() as session:
        return [(turn.task, turn.id) for turn in turns.due(session, networks)]


def planned(database: Database, video_id: str, duration_s: float) -> list[int]:
    """A recording of this length, new or waiting, that is planned now; its two segments."""
    with database.read() as session:
        is_new = session.get(Video, video_id) is None
    segment_ids = plan(database, add(database, video_id) if is_new else video_id, segments=2)
    with database.write() as session:
        session.get_one(Video, video_id).info = {"duration_s": duration_s}  # planning has put its own there
    return segment_ids


def test_a_short_recording_need_not_wait_for_long_ones(database: Database) -> None:
    first, _ = planned(database, "long", 280.0)
    other, _ = planned(database, "longer", 280.0)
    add(database, "short", info={"duration_s": 2.4})
    assert tasks(database) == [(Task.PLAN, "short"), (Task.ANALYZE, first), (Task.ANALYZE, other)]
    segment_id, _ = planned(database, "short", 2.4)
    assert tasks(database)[0] == (Task.ANALYZE, segment_id)
    complete(database, segment_id, rows([0, 1, 2, 3]))
    complete(database, segment_id + 1, rows([4, 5, 6, 7]))
    assert tasks(database)[0] == (Task.FINISH, "short")
    finish(database, "short")
    assert tasks(database)[0][0] is Task.RENDER


def test_a_recording_that_is_nearly_done_goes_before_one_that_came_with_it(database: Database) -> None:
    ids = {video_id: planned(database, video_id, 100.0) for video_id in ("first", "second")}
    assert tasks(database)[0] == (Task.ANALYZE, ids["first"][0])
    complete(database, ids["second"][0], rows([0, 1, 2, 3]))
    assert tasks(database)[0] == (Task.ANALYZE, ids["second"][1])


def test_a_long_recording_waits_for_short_ones_not_for_ever(database: Database) -> None:
    add(database, "long", info={"duration_s": 60.0})
    with database.write() as session:
        session.execute(update(Video).values(created_at=videos.now() - timedelta(minutes=11)))
    add(database, "short", info={"duration_s": 2.0})
    assert tasks(database) == [(Task.PLAN, "long"), (Task.PLAN, "short")]


def test_a_segment_is_left_to_workers_with_its_network(database: Database) -> None:
    first, _ = plan(database, add(database), segments=2)
    assert tasks(database, {"paper": ["paper-2"]}) == []
    assert tasks(database, {"paper": ["paper-1"]}) == [(Task.ANALYZE, first)]


def test_progress_gives_speed_time_left_and_place_in_the_queue(database: Database) -> None:
    first, second, third = add(database), add(database, "second"), add(database, "third")
    segment_ids = plan(database, first, segments=2, frames=10)
    claimed = claim(database, segment_ids[0])
    assert claimed is not None
    with database.write() as session:
        work.renew(session, claimed, 60, frames_done=5)
        session.execute(update(Segment).values(claimed_at=videos.now() - timedelta(seconds=10)))
    with database.read() as session:
        progress = videos.progress(session, [videos.get(session, i) for i in (first, second, third)])
    assert (progress[first].frames_done, progress[first].frames_total) == (5, 20)
    assert progress[first].fps == pytest.approx(0.5, rel=0.1)
    assert progress[first].eta_s == pytest.approx(30, rel=0.1)
    assert [progress[i].queue_position for i in (first, second, third)] == [None, 1, 2]


def test_speed_is_told_while_segments_just_begin_or_have_just_ended(database: Database) -> None:
    segment_ids = plan(database, add(database), segments=3, frames=10)

    def speed() -> float | None:
        with database.read() as session:
            return videos.progress(session, [videos.get(session, "first")])["first"].fps

    assert claim(database, segment_ids[0]) is not None
    assert speed() is None, "nothing is done yet"
    expire(database)
    complete(database, segment_ids[0], rows(range(10)))
    with database.write() as session:
        session.execute(update(Segment).values(claimed_at=videos.now() - timedelta(seconds=10)))
    assert speed() == pytest.approx(1.0, rel=0.1), "a worker between two segments is at work"
    assert claim(database, segment_ids[1]) is not None
    assert speed() == pytest.approx(1.0, rel=0.1)
