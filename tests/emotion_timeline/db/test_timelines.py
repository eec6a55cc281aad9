"""Tables and what is kept in them, on SQLite and PostgreSQL."""

import hashlib

import numpy as np
import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import select, text

from emotion_timeline.db import turns, videos, work
from emotion_timeline.db.migrations import configuration, migrate, require_current
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Observation, Segment, SegmentStatus, Step, Tracklet, Video, VideoStatus
from emotion_timeline.db.turns import Task
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import Conflict, LeaseLost, NotFound, SettingsError, VideoError
from emotion_timeline.observations import Status, blank
from emotion_timeline.results import finish
from emotion_timeline.views import cast, listing, shown
from tests.records import ATTEMPTS, add, claim, new_video, plan, rows, status, write


def test_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    command.check(configuration(database))


def test_migrating_twice_changes_nothing_and_downgrading_removes_all(database: Database) -> None:
    migrate(database)
    require_current(database)
    command.downgrade(configuration(database), "base")
    with pytest.raises(CommandError):
        command.check(configuration(database))
    if database.is_sqlite:
        require_current(database)  # the embedded database is migrated on the spot
    else:
        with pytest.raises(SettingsError, match="emotion-timeline migrate"):
            require_current(database)


def test_a_schema_of_another_version_is_refused_with_a_sentence(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(SettingsError, match="another version that this one doesn't know"):
        migrate(database)


def test_a_video_goes_through_its_states_and_its_rows_come_back_in_order(database: Database) -> None:
    video_id = add(database)
    assert status(database, video_id) is VideoStatus.QUEUED
    segment_ids = plan(database, video_id, segments=2, frames=3)
    for segment_id, frames in reversed(list(zip(segment_ids, ([0, 1, 2], [3, 4, 5]), strict=True))):
        claimed = claim(database, segment_id)
        assert claimed is not None
        write(database, claimed, [rows(frames[:2], faces=2), rows(frames[2:], faces=2)])
    with database.write() as session:
        finishing = work.claim_step(session, video_id, Step.FINISH, 60, ATTEMPTS)
        assert finishing is not None
        finish(session, finishing)
    with database.read() as session:
        video = videos.get(session, video_id)
        assert (video.status, video.frames_total) == (VideoStatus.DONE, 6)
        assert video.summary == {
            "frames_by_status": {"ok": 6, "too_small": 0, "no_face": 0, "decode_error": 0},
            "faces": 2,
            "persons_alike": None,
            "shots": [],
            "turn": 0,
            "strip": "666666",
            "faces_shown": 2,
            "emotion_frames": {emotion: 12 if emotion == "neutral" else 0 for emotion in EMOTIONS},
        }
        read = list(shown.read(session, video_id, cast.shown(session, video_id)))
    assert [(row.frame, row.face_id) for row in read] == [(frame, face) for frame in range(6) for face in (1, 2)]
    assert read[3].timestamp_s == pytest.approx(0.1)
    assert read[3].box == (1, 2, 30, 40)
    assert read[3].probabilities == pytest.approx([n / 28 for n in range(1, 8)])


def test_a_video_without_one_decodable_frame_is_not_done(database: Database) -> None:
    video_id = add(database)
    (segment_id,) = plan(database, video_id, segments=1, frames=1)
    claimed = claim(database, segment_id)
    assert claimed is not None
    undecodable = blank(1)
    undecodable["status"] = Status.DECODE_ERROR
    write(database, claimed, [undecodable])
    with pytest.raises(VideoError, match=r"No frame of a\.mp4 could be decoded"), database.write() as session:
        finishing = work.claim_step(session, video_id, Step.FINISH, 60, ATTEMPTS)
        assert finishing is not None
        finish(session, finishing)


def test_blank_values_are_stored_as_null(database: Database) -> None:
    video_id = add(database)
    (segment_id,) = plan(database, video_id, segments=1, frames=1)
    claimed = claim(database, segment_id)
    assert claimed is not None
    write(database, claimed, [blank(1)])
    with database.read() as session:
        row = session.scalars(select(Observation)).one()
        assert (row.face, row.tracklet, row.confidence, row.box_x, row.happy) == (-1, None, None, None, None)
        assert next(iter(shown.read(session, video_id, cast.shown(session, video_id)))).status == "no_face"


def test_the_same_content_and_settings_are_one_piece_of_work(database: Database) -> None:
    with database.write() as session:
        first, created = videos.create(session, new_video("one"))
        assert created
        assert videos.create(session, new_video("two", filename="other name.mp4")) == (first, False)
        assert videos.create(session, new_video("three", sample_hz=2.0))[1]
        assert videos.create(session, new_video("four", model_version="paper-2"))[1]
        assert videos.create(session, new_video("five", sha256="bb"))[1]
        assert videos.create(session, new_video("six", clip_start_s=1.0))[1]
        assert videos.create(session, new_video("seven", clip_end_s=1.0))[1]
        assert not videos.create(session, new_video("eight", clip_start_s=0.0))[1], "that is the whole recording"
        assert listing.page(session)[1] == 6


def test_a_video_without_a_clip_keeps_the_work_key_of_earlier_versions() -> None:
    parts = ("aa", "None", "paper", "paper-1")
    assert new_video().work_key == hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_a_cancelled_video_keeps_its_finished_segments_and_goes_on_after_a_retry(database: Database) -> None:
    video_id = add(database)
    segment_ids = plan(database, video_id)
    first, second = claim(database, segment_ids[0]), claim(database, segment_ids[1])
    assert first is not None and second is not None
    write(database, first, [rows([0])])
    with database.write() as session:
        videos.cancel(session, video_id)
        assert turns.due(session) == []
    with pytest.raises(LeaseLost):
        write(database, second, [rows([4])])
    assert claim(database, segment_ids[2]) is None
    with database.write() as session, pytest.raises(Conflict):
        videos.cancel(session, video_id)
    with database.write() as session:
        videos.retry(session, video_id)
        assert [turn.id for turn in turns.due(session)] == [segment_ids[1]]
        assert session.get_one(Segment, segment_ids[0]).status is SegmentStatus.DONE


def test_uploading_a_failed_video_again_retries_it(database: Database) -> None:
    with database.write() as session:
        video, _ = videos.create(session, new_video())
        assert videos.fail(session, video.id, "code", "Sentence.")
        again, created = videos.create(session, new_video("other"))
        assert (again.id, created, again.status, again.error_message) == (video.id, False, VideoStatus.QUEUED, None)


def test_removing_a_video_removes_all_its_rows_and_stops_its_workers(database: Database) -> None:
    video_id = add(database)
    segment_ids = plan(database, video_id)
    first, second = claim(database, segment_ids[0]), claim(database, segment_ids[1])
    assert first is not None and second is not None
    write(database, first, [rows([0])])
    with database.write() as session:
        videos.remove(session, video_id)
    with pytest.raises(LeaseLost):
        write(database, second, [rows([4])])
    with database.read() as session:
        for table in (Video, Segment, Observation):
            assert session.scalars(select(table)).first() is None
        with pytest.raises(NotFound, match="no video with the id 'first'"):
            videos.get(session, video_id)


def test_embeddings_are_kept_with_their_tracklets_and_deleted_with_the_video(database: Database) -> None:
    video_id = add(database)
    (segment_id, other_id) = plan(database, video_id, segments=2)
    embedding = np.linspace(-1, 1, 128, dtype=np.float32)
    for number, frames in ((segment_id, range(4)), (other_id, range(4, 8))):
        claimed = claim(database, number)
        assert claimed is not None
        write(database, claimed, [rows(frames, faces=3)], {1: embedding} if number == segment_id else {})
    with database.read() as session:
        columns = (Tracklet.segment_id, Tracklet.number, Tracklet.seen_with, Tracklet.embedding)
        kept = [tuple(row) for row in session.execute(select(*columns).order_by(*columns[:2]))]
    assert kept == [
        (number, face, [other for other in range(3) if other != face], None if (number, face) != (segment_id, 1) else
         embedding.tobytes())
        for number in (segment_id, other_id) for face in range(3)
    ]  # fmt: skip
    with database.write() as session:
        videos.remove(session, video_id)
    with database.read() as session:
        assert session.scalars(select(Tracklet.embedding)).all() == []


def test_analysis_with_persons_is_other_work_than_one_without() -> None:
    assert new_video(embedder="").work_key != new_video().work_key


def test_another_version_of_the_network_begins_the_video_anew(database: Database) -> None:
    video_id = add(database)
    segment_ids = plan(database, video_id)
    claimed = claim(database, segment_ids[0])
    assert claimed is not None
    write(database, claimed, [rows([0])])
    with database.write() as session:
        assert videos.restart(session, video_id, "paper-2")
        assert [(turn.task, turn.id) for turn in turns.due(session)] == [(Task.PLAN, video_id)]
        assert session.scalars(select(Observation)).first() is None
    with database.write() as session:
        same = new_video("again", sha256=video_id, model_version="paper-2")
        assert videos.create(session, same)[0].id == video_id, "it is the work of the version that makes it"
        assert videos.create(session, new_video("older", sha256=video_id))[1]


def test_beginning_anew_never_makes_the_same_work_twice(database: Database) -> None:
    video_id = add(database)
    plan(database, video_id)
    with database.write() as session:
        assert videos.create(session, new_video("newer", sha256=video_id, model_version="paper-2"))[1]
        assert not videos.restart(session, video_id, "paper-2")
    with database.read() as session:
        older, newer = videos.get(session, video_id), videos.get(session, "newer")
        assert (older.status, older.error_code) == (VideoStatus.FAILED, "network_replaced")
        assert (older.model_version, newer.status) == ("paper-1", VideoStatus.QUEUED)
    with database.write() as session:
        videos.remove(session, "newer")
        videos.retry(session, video_id)
        assert videos.restart(session, video_id, "paper-2")


def test_other_analyses_of_a_recording_are_found_newest_first(database: Database) -> None:
    with database.write() as session:
        for name, version, sha256 in (("a", "1", "aa"), ("b", "2", "aa"), ("c", "3", "aa"), ("x", "1", "bb")):
            videos.create(session, new_video(name, sha256, model_version=version))
    with database.read() as session:
        listed, _ = listing.page(session)
        others = videos.other_analyses(session, listed)
    assert {name: [video.id for video in found] for name, found in others.items()} == {
        "a": ["c", "b"], "b": ["c", "a"], "c": ["b", "a"], "x": [],
    }  # fmt: skip
