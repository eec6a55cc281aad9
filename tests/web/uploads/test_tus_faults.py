"""Resumable uploads that go wrong: no video, no room, a server that is killed, a person who never comes back."""

import os
import resource
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import update

from emotion_timeline.db import uploads, videos
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Upload
from tests.tus import MP4, TUS, begin, complete, offset_of, part, send, shown
from tests.website import Website, assert_problem
from web import create_app
from web.uploads import resumable


def test_what_is_no_video_is_refused_and_the_reason_stays(site: Website) -> None:
    address = begin(site, 5000, filename="notes.mp4")
    assert send(site, address, bytes(4999), 0).status_code == 204
    sentence = assert_problem(send(site, address, b"\0", 4999), 422, "not_a_video")
    upload = shown(site, address)
    assert (upload["status"], upload["video"]) == ("refused", None)
    assert upload["error"] == {"code": "not_a_video", "message": sentence}
    assert "notes.mp4" in sentence and ".part" not in sentence
    assert site.client.head(address, headers=TUS).status_code == 410
    assert assert_problem(send(site, address, b"", 5000), 422, "not_a_video") == sentence
    site.assert_nothing_left()


def test_clip_after_the_end_is_refused(site: Website) -> None:
    address = begin(site, clip_start_s="1000")
    assert "1000 s" in assert_problem(send(site, address, MP4, 0), 422, "empty_clip")
    assert shown(site, address)["error"]["code"] == "empty_clip"
    site.assert_nothing_left()


def test_piece_whose_checksum_was_never_confirmed_does_not_count(site: Website) -> None:
    """A process that is killed in the middle of a piece can't take it back; the next one does."""
    address = begin(site, 100)
    send(site, address, b"0123456789", 0)
    with site.database.write() as session:
        uploads.touch(session, address.rsplit("/", 1)[1], unverified_from=10)
    with part(site, address).open("ab") as file:
        file.write(b"unconfirmed")
    assert shown(site, address)["offset"] == offset_of(site, address) == 10
    assert send(site, address, b"abc", 10).status_code == 204
    assert part(site, address).read_bytes() == b"0123456789abc"


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["HEAD", "GET", "PATCH"])
@pytest.mark.parametrize("crash", ["before examining", "before the commit"])
def test_whole_upload_that_was_left_unexamined_is_finished_later(site: Website, asked: str, crash: str) -> None:
    """As after kill -9: all bytes are there, perhaps under the recording's final name already, but there is no row."""
    address = begin(site)
    part(site, address).write_bytes(MP4)
    if crash == "before the commit":
        name = address.rsplit("/", 1)[1]
        os.link(part(site, address), site.settings.recording(name))
        os.link(part(site, address), site.settings.recordings_dir / f"{name}.part")
    if asked == "PATCH":
        assert send(site, address, b"", len(MP4)).status_code == 204
    else:
        assert site.client.open(address, method=asked, headers=TUS).status_code == 200
    assert site.rows() == 1
    assert shown(site, address)["status"] == "accepted"
    assert site.files() == [shown(site, address)["video"]["id"]]


def test_upload_whose_file_is_gone_says_so(site: Website) -> None:
    address = begin(site)
    part(site, address).unlink()
    assert_problem(site.client.get(address), 410, "upload_gone")
    assert site.client.head(address, headers=TUS).status_code == 410
    assert_problem(send(site, address, b"x", 0), 410, "upload_gone")


def test_full_disk_keeps_what_came(site: Website) -> None:
    address = begin(site)
    with closing(sqlite3.connect(site.settings.data_dir / "timeline.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the limit would hit the database's log first
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        response = send(site, address, MP4, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert_problem(response, 507, "no_space")
    assert shown(site, address)["status"] == "receiving"
    assert offset_of(site, address) == 300_000
    assert send(site, address, MP4[300_000:], 300_000).status_code == 204
    assert shown(site, address)["status"] == "accepted"


def test_no_space_while_receiving_is_found_in_time(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    address = begin(site)
    full = Website(site.settings.data_dir.parent, min_free_bytes=1 << 60)
    monkeypatch.setattr(resumable, "_LOOK_EVERY_BYTES", 150_000)
    assert_problem(send(full, address, MP4, 0), 507, "no_space")
    assert 0 < offset_of(site, address) < 150_000
    full.database.close()


def age(database: Database, address: str, seconds: float) -> None:
    with database.write() as session:
        past = videos.now() - timedelta(seconds=seconds)
        session.execute(update(Upload).where(Upload.id == address.rsplit("/", 1)[1]).values(updated_at=past))


def test_upload_waits_for_its_life_and_then_goes_with_its_bytes(site: Website) -> None:
    fresh, old = begin(site), begin(site)
    for address in (fresh, old):
        send(site, address, MP4[:1000], 0)
        os.utime(part(site, address), (time.time() - 7200,) * 2)  # two hours: others would be taken for abandoned
    age(site.database, old, site.settings.upload_life_s + 60)
    age(site.database, fresh, site.settings.upload_life_s - 60)
    create_app(site.settings)
    assert site.client.get(old).status_code == 404
    assert site.files() == [part(site, fresh).name]
    assert send(site, fresh, MP4[1000:], 1000).status_code == 204


def test_expired_uploads_go_when_another_begins(site: Website) -> None:
    old, done = begin(site), complete(site)
    video = shown(site, done)["video"]["id"]
    os.utime(part(site, old), (time.time() - 7200,) * 2)
    for address in (old, done):
        age(site.database, address, site.settings.upload_life_s + 60)
    new = begin(site)
    assert site.client.get(old).status_code == site.client.get(done).status_code == 404
    assert set(site.files()) == {video, part(site, new).name}
    assert site.rows() == 1
