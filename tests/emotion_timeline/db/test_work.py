"""Claims, leases and the queue, on SQLite and PostgreSQL: one piece of work is done once, and nothing is lost."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from emotion_timeline.db import videos, work
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Observation, Segment, Step, VideoStatus
from emotion_timeline.db.work import Task
from emotion_timeline.errors import LeaseLost
from tests.records import ATTEMPTS, add, claim, expire, plan, rows, status, write


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


def test_the_sweep_finds_expired_leases_and_lost_messages(database: Database) -> None:
    video_id = add(database)
    with database.write() as session:
        assert work.due(session, 2) == [(Task.PLAN, video_id)]
        assert work.due(session, 2) == []
    segment_ids = plan(database, video_id)
    with database.write() as session:
        assert work.due(session, 2) == [(Task.ANALYZE, segment_ids[0]), (Task.ANALYZE, segment_ids[1])]
    assert claim(database, segment_ids[0]) is not None
    expire(database)
    with database.write() as session:
        work.sweep(session, queue_is_empty=False)
        assert work.due(session, 2) == [(Task.ANALYZE, segment_ids[0])], "the dead worker's; the other has its message"
        session.execute(update(Segment).values(queued_at=videos.now() - timedelta(minutes=1)))
        work.sweep(session, queue_is_empty=True)
        assert work.due(session, 2) == [(Task.ANALYZE, segment_ids[0]), (Task.ANALYZE, segment_ids[1])]


def test_only_a_window_of_segments_is_queued_at_a_time(database: Database) -> None:
    segment_ids = plan(database, add(database), segments=5)
    with database.write() as session:
        assert len(work.due(session, 2)) == 2
    claimed = claim(database, segment_ids[0])
    assert claimed is not None
    write(database, claimed, [rows([0])])
    with database.write() as session:
        assert work.due(session, 2) == [(Task.ANALYZE, segment_ids[2])]


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
