"""Rows of uploads, from their first byte until they are forgotten."""

from emotion_timeline.db import uploads, videos
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Upload
from tests.records import add
from web.uploads import resumable


def test_rows_of_uploads(database: Database) -> None:
    video_id = add(database)
    with database.write() as session:
        for name in ("receiving", "accepted", "refused"):
            uploads.create(session, uploads.NewUpload(name, "a.mp4", 5, {"sample_hz": None}, ""))
    with database.write() as session:
        uploads.accept(session, "accepted", video_id, is_new=True)
        uploads.refuse(session, "refused", 422, "not_a_video", "No.")
    with database.read() as session:
        assert [upload.id for upload in uploads.unfinished(session)] == ["receiving"]
        assert uploads.unfinished(session, touched_within_s=-60) == []
        assert [resumable.is_finished(uploads.get(session, name)) for name in ("receiving", "accepted", "refused")] == [
            False, True, True,
        ]  # fmt: skip
    with database.write() as session:
        videos.remove(session, video_id)
    with database.write() as session:
        assert session.get(Upload, "accepted") is None
        uploads.remove_expired(session, life_s=-60)
        assert uploads.unfinished(session) == [] and session.get(Upload, "refused") is None
