"""Renders in the database, on SQLite and PostgreSQL: one is made once, none is lost, and analyses go first."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from emotion_timeline.db import renders, turns, videos, work
from emotion_timeline.db.renders import RenderClaim
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Render, RenderKind, RenderStatus, Segment, Step, Video, VideoStatus
from emotion_timeline.db.turns import Task
from emotion_timeline.errors import Conflict, LeaseLost, NotFound, Stopped
from emotion_timeline.results import finish
from tests.finished import claim_render
from tests.records import ATTEMPTS, add, claim, expire, plan, rows, status, write
from tests.website import INFO

PLAYABLE = INFO
UNPLAYABLE = INFO | {"codec": "hevc"}


def done(
    database: Database, video_id: str = "first", info: dict[str, object] = PLAYABLE, last: tuple[int, int] = (640, 360)
) -> str:
    """A video that is done, whose last picture has that size."""
    add(database, video_id, info=info)
    (segment_id,) = plan(database, video_id, segments=1)
    with database.write() as session:
        session.get_one(Video, video_id).info = info  # planning has put its own there
    claimed = claim(database, segment_id)
    assert claimed is not None
    observed = rows([0, 1, 2, 3])
    observed["picture"] = [(640, 360)] * 3 + [last]
    write(database, claimed, [observed])
    with database.write() as session:
        finishing = work.claim_step(session, video_id, Step.FINISH, 60, ATTEMPTS)
        assert finishing is not None
        finish(session, finishing)
    return video_id


def found(database: Database, video_id: str = "first") -> dict[RenderKind, Render]:
    with database.read() as session:
        return {render.kind: render for render in renders.of_videos(session, [video_id])[video_id]}


def running(database: Database, video_id: str, kind: RenderKind = RenderKind.PREVIEW) -> RenderClaim:
    claimed = claim_render(database, video_id, kind)
    assert claimed is not None
    return claimed


def due(session: Session) -> list[str | int]:
    """The renders that may be taken, in their order."""
    return [turn.id for turn in turns.due(session) if turn.task is Task.RENDER]


def test_a_done_video_gets_pictures_and_a_preview_where_it_needs_one(database: Database) -> None:
    done(database, "plays")
    done(database, "does-not", UNPLAYABLE)
    assert set(found(database, "plays")) == {RenderKind.PICTURES}
    assert set(found(database, "does-not")) == {RenderKind.PICTURES, RenderKind.PREVIEW}
    with database.read() as session:
        assert videos.get(session, "plays").info["picture_sizes"] == [[640, 360]]
    ids = [render.id for video_id in ("plays", "does-not") for render in found(database, video_id).values()]
    with database.write() as session:
        assert sorted(due(session)) == sorted(ids)


def test_a_video_whose_pictures_change_their_size_gets_a_preview(database: Database) -> None:
    done(database, last=(360, 640))
    assert set(found(database)) == {RenderKind.PICTURES, RenderKind.PREVIEW}
    with database.read() as session:
        assert videos.get(session, "first").info["picture_sizes"] == [[360, 640], [640, 360]]


def test_a_render_has_one_owner_who_alone_can_complete_it(database: Database) -> None:
    done(database, info=UNPLAYABLE)
    slow = running(database, "first")
    assert claim_render(database, "first", RenderKind.PREVIEW) is None
    expire(database)
    quick = running(database, "first")
    with database.write() as session:
        with pytest.raises(LeaseLost):
            renders.renew(session, slow, 60, 5)
        with pytest.raises(LeaseLost):
            renders.begin(session, slow, 9)
        with pytest.raises(LeaseLost):
            renders.complete(session, slow)
    with database.write() as session, pytest.raises(LeaseLost):
        renders.fail(session, slow, "code", "It was late.")
    with database.write() as session:
        renders.give_back(session, slow, count_attempt=True)
        renders.begin(session, quick, 20)
        renders.renew(session, quick, 60, 5)
    render = found(database)[RenderKind.PREVIEW]
    assert (render.status, render.frames_done, render.frames_total) == (RenderStatus.RUNNING, 5, 20)
    with database.write() as session:
        renders.complete(session, quick)
    render = found(database)[RenderKind.PREVIEW]
    assert (render.status, render.frames_done, render.error_message) == (RenderStatus.DONE, 20, None)
    assert render.finished_at is not None
    assert claim_render(database, "first", RenderKind.PREVIEW) is None


def test_a_render_that_kills_its_worker_too_often_fails_with_a_sentence_and_not_its_video(database: Database) -> None:
    done(database, info=UNPLAYABLE)
    for _ in range(ATTEMPTS):
        running(database, "first")
        expire(database)
    assert claim_render(database, "first", RenderKind.PREVIEW) is None
    render = found(database)[RenderKind.PREVIEW]
    assert render.status is RenderStatus.FAILED
    assert "Making the preview stopped the process 3 times" in (render.error_message or "")
    assert status(database, "first") is VideoStatus.DONE


def test_giving_back_costs_no_attempt(database: Database) -> None:
    done(database, info=UNPLAYABLE)
    for _ in range(2 * ATTEMPTS):
        claimed = running(database, "first")
        with database.write() as session:
            renders.give_back(session, claimed, count_attempt=False)


def test_a_render_of_a_dead_worker_is_due_again(database: Database) -> None:
    done(database, info=UNPLAYABLE)
    preview = running(database, "first").lease.id
    with database.write() as session:
        assert preview not in due(session)
    expire(database)
    with database.write() as session:
        assert preview in due(session)
        renders.sweep(session)
    assert found(database)[RenderKind.PREVIEW].status is RenderStatus.QUEUED


def waiting(database: Database, video_id: str = "waiting") -> None:
    """An analysis that has been due for a while."""
    add(database, video_id)
    with database.write() as session:
        session.execute(update(Video).where(Video.id == video_id).values(due_at=videos.now() - timedelta(minutes=1)))


def test_a_movie_that_has_had_its_turn_gives_way_until_no_analysis_waits(database: Database) -> None:
    done(database, info=UNPLAYABLE)
    waiting(database)
    with database.write() as session:
        assert len(due(session)) == 2, "each has a turn"
    pictures, preview = (running(database, "first", kind) for kind in (RenderKind.PICTURES, RenderKind.PREVIEW))
    with database.write() as session:
        renders.begin(session, preview, 20)
        renders.renew(session, preview, 60, 1)
        session.execute(update(Video).where(Video.id == "waiting").values(due_at=None))
    past = videos.now() - timedelta(minutes=2)
    late = replace(preview, claimed_at=past)
    with database.write() as session:
        renders.renew(session, late, 60, 2)  # nothing of that video waits
        session.execute(update(Video).where(Video.id == "waiting").values(due_at=past))
        renders.renew(session, replace(pictures, claimed_at=past), 60, 2)
        with pytest.raises(Stopped):
            renders.renew(session, late, 60, 2)
        renders.give_back(session, late, count_attempt=False)
        assert due(session) == []
    with database.write() as session:
        assert work.claim_step(session, "waiting", Step.PLAN, 60, ATTEMPTS) is not None
    with database.write() as session:
        assert due(session) == [preview.lease.id]


def test_movies_are_made_one_after_the_other_where_an_analysis_always_waits(database: Database) -> None:
    claims = {}
    for age_min, video_id in ((90, "older"), (80, "old"), (50, "young")):
        done(database, video_id, UNPLAYABLE)
        claims[video_id] = running(database, video_id)
        ordered = videos.now() - timedelta(minutes=age_min)
        with database.write() as session:
            session.execute(update(Render).where(Render.video_id == video_id).values(created_at=ordered))
            renders.begin(session, claims[video_id], 20)
    waiting(database)

    def outcomes() -> dict[str, bool]:
        """Whether each, now that it has had its turn, may go on."""
        found = {}
        for video_id, claimed in claims.items():
            late = replace(claimed, claimed_at=videos.now() - timedelta(minutes=2))
            with database.write() as session:
                try:
                    renders.renew(session, late, 60, 2)
                    found[video_id] = True
                except Stopped:
                    renders.give_back(session, claimed, count_attempt=False)
                    found[video_id] = False
        return found

    with database.write() as session:
        for render in session.scalars(select(Render).where(Render.kind == RenderKind.PICTURES)):
            session.delete(render)
    assert outcomes() == {"older": True, "old": False, "young": False}
    with database.write() as session:
        assert due(session) == [], "the oldest is in work, and one is enough"
        renders.complete(session, claims.pop("older"))
        assert due(session) == [claims["old"].lease.id]
    claims["old"] = running(database, "old")
    claims["young"] = running(database, "young")
    assert outcomes() == {"old": True, "young": False}
    with database.write() as session:
        renders.complete(session, claims.pop("old"))
        assert due(session) == [], "the youngest has not waited for long"


def test_pictures_that_a_worker_gave_back_do_not_wait_for_analyses(database: Database) -> None:
    done(database)
    waiting(database)
    claimed = running(database, "first", RenderKind.PICTURES)
    with database.write() as session:
        renders.begin(session, claimed, 20)
        renders.give_back(session, claimed, count_attempt=False)
        assert due(session) == [claimed.lease.id]


def test_segments_that_wait_are_given_way_to_by_workers_that_can_analyse_them(database: Database) -> None:
    done(database, info=UNPLAYABLE)
    add(database, "second")
    first, second = plan(database, "second", segments=2)
    past = videos.now() - timedelta(minutes=2)
    with database.write() as session:
        session.execute(update(Segment).where(Segment.id.in_((first, second))).values(due_at=past))
    assert claim(database, first) is not None
    late = replace(running(database, "first"), claimed_at=past)
    with database.write() as session, pytest.raises(Stopped):
        renders.renew(session, late, 60, 2)
    with database.write() as session:
        renders.renew(session, replace(late, networks={"paper": ["paper-2"]}), 60, 2)
    assert claim(database, second) is not None
    with database.write() as session:
        renders.renew(session, late, 60, 2)


@pytest.mark.parametrize("kind", list(RenderKind))
def test_a_render_is_made_once_and_anew_when_it_failed_or_is_asked_for_anew(
    database: Database, kind: RenderKind
) -> None:
    done(database)
    with database.write() as session:  # as of videos from before there were any
        session.execute(delete(Render))

    def ask(is_there: bool = False, anew: bool = False) -> bool:
        with database.write() as session:
            return renders.order_unless_there(session, "first", kind, is_there=is_there, anew=anew)[1]

    assert [ask(), ask()] == [True, False]
    old = running(database, "first", kind)
    assert not ask()
    assert ask(anew=True)
    with database.write() as session, pytest.raises(LeaseLost):
        renders.complete(session, old)
    claimed = running(database, "first", kind)
    with database.write() as session:
        renders.fail(session, claimed, "code", "The disk is full.")
    assert found(database)[kind].error_message == "The disk is full."
    assert ask()
    assert found(database)[kind].error_message is None
    claimed = running(database, "first", kind)
    with database.write() as session:
        renders.complete(session, claimed)
    assert [ask(is_there=True), ask(is_there=False)] == [False, True]
    with database.write() as session, pytest.raises(NotFound):
        renders.order_unless_there(session, "nowhere", kind, is_there=False)
    add(database, "waits")
    with database.write() as session, pytest.raises(Conflict):
        renders.order_unless_there(session, "waits", kind, is_there=False)


def test_deleting_a_video_deletes_its_renders(database: Database) -> None:
    done(database, info=UNPLAYABLE)
    claimed = running(database, "first")
    with database.write() as session:
        videos.remove(session, "first")
    with database.write() as session, pytest.raises(LeaseLost):
        renders.complete(session, claimed)
    with database.write() as session:
        assert renders.claim(session, int(claimed.lease.id), 60, ATTEMPTS) is None
