"""Workers in the database: which networks they have, and whether the work gets on."""

from datetime import timedelta

from sqlalchemy import delete, update

from emotion_timeline.db import turns, videos, workers
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Segment, Video, VideoStatus, Worker
from emotion_timeline.db.turns import Task
from tests.records import add, claim, expire, new_video, plan, rows, status, write

OURS, OTHER = {"paper": ["paper-1"]}, {"paper": ["paper-2"]}


def tell(database: Database, name: str, networks: dict[str, list[str]], ago_s: float = 0.0) -> None:
    with database.write() as session:
        workers.tell(session, name, networks)
        seen_at = videos.now() - timedelta(seconds=ago_s)
        session.execute(update(Worker).where(Worker.name == name).values(seen_at=seen_at))


def wait(database: Database, minutes: int = 10) -> None:
    """Let what is due have been due for so long."""
    past = videos.now() - timedelta(minutes=minutes)
    with database.write() as session:
        for table in (Segment, Video):
            session.execute(update(table).where(table.due_at.is_not(None)).values(due_at=past))


def settle(database: Database) -> list[str]:
    with database.write() as session:
        return workers.settle(session, wait_s=300)


def state(database: Database) -> str:
    with database.read() as session:
        return workers.state(session, sweep_s=10)


def test_a_worker_with_another_network_leaves_a_video_to_those_that_have_its_own(database: Database) -> None:
    plan(database, add(database))
    wait(database)
    tell(database, "other", OTHER)
    tell(database, "ours", OURS, ago_s=200)
    assert settle(database) == [], "a worker that is away for a while may come back"
    with database.read() as session:
        assert turns.due(session, OTHER) == []
        (sentence,) = workers.left_to_others(session, OTHER).values()
        assert sentence == "Video first (a.mp4) is left to workers with the network paper-1."
        assert workers.left_to_others(session, OURS) == {}


def test_two_networks_in_one_folder_restart_a_video_once_at_most(database: Database) -> None:
    segment_id, *_ = plan(database, add(database))
    claimed = claim(database, segment_id)
    assert claimed is not None
    write(database, claimed, [rows([0])])
    wait(database)
    tell(database, "ours", OURS, ago_s=400)
    tell(database, "other", OTHER)
    (sentence,) = settle(database)
    assert sentence.endswith("video first begins anew with paper-2.")
    with database.read() as session:
        assert videos.get(session, "first").model_version == "paper-2"
        assert [(turn.task, turn.id) for turn in turns.due(session)] == [(Task.PLAN, "first")]
    assert settle(database) == []
    plan(database, "first")
    wait(database)
    tell(database, "other", OTHER, ago_s=400)
    tell(database, "ours", OURS)
    (sentence,) = settle(database)
    assert sentence.endswith("video first fails.")
    with database.write() as session:
        video = videos.get(session, "first")
        assert (video.status, video.error_code) == (VideoStatus.FAILED, "network_missing")
        assert (video.error_message or "").startswith("No worker can use the network paper-2, with which")
        videos.retry(session, "first")
    assert len(settle(database)) == 0, "it waits again"


def test_a_network_that_was_replaced_and_is_used_already_fails_the_older_analysis(database: Database) -> None:
    plan(database, add(database))
    with database.write() as session:
        videos.create(session, new_video("newer", sha256="first", model_version="paper-2"))
    wait(database)
    tell(database, "other", OTHER)
    assert len(settle(database)) == 1
    with database.read() as session:
        assert videos.get(session, "first").error_code == "network_replaced"


def test_a_video_whose_network_nobody_has_any_more_fails_with_a_sentence(database: Database) -> None:
    plan(database, add(database))
    tell(database, "other", {"residual": ["residual-1"]})
    assert settle(database) == []
    wait(database)
    assert len(settle(database)) == 1
    assert status(database, "first") is VideoStatus.FAILED


def test_a_video_that_is_at_work_is_never_settled(database: Database) -> None:
    (segment_id,) = plan(database, add(database), segments=1)
    assert claim(database, segment_id) is not None
    wait(database)
    assert settle(database) == []


def test_workers_are_missing_stuck_or_well(database: Database) -> None:
    assert state(database) == "missing"
    tell(database, "ours", OURS)
    assert state(database) == "ok"
    segment_ids = plan(database, add(database))
    assert state(database) == "ok", "it has only just come"
    wait(database)
    assert state(database) == "stuck"
    assert claim(database, segment_ids[0]) is not None
    assert state(database) == "ok", "others wait, but somebody is at work"
    expire(database)
    assert state(database) == "stuck"
    tell(database, "ours", OURS, ago_s=100)
    assert state(database) == "missing"


def test_workers_that_are_gone_are_forgotten(database: Database) -> None:
    tell(database, "gone", OURS, ago_s=100_000)
    tell(database, "here", OURS)
    with database.write() as session:
        assert session.execute(delete(Worker).returning(Worker.name)).scalars().all() == ["here"]
