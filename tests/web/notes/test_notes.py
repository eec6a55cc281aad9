"""Notes: by the API, and by forms as a browser without JavaScript sends them."""

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from emotion_timeline.db import notes, videos
from emotion_timeline.db.notes import MOST, Written
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Note
from emotion_timeline.errors import Conflict
from tests.records import add, new_video
from tests.website import TWO_FACES, Website, assert_problem, text_of
from web.http.formatting import exact

NOTES = "/api/v1/videos/v/notes"


@pytest.fixture
def site(site: Website) -> Website:
    site.done(TWO_FACES)
    return site


def write(site: Website, **fields: Any) -> dict[str, Any]:
    answer = site.client.post(NOTES, json={"start_s": 0.5, "text": "a note"} | fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def test_a_note_is_written_read_changed_and_deleted(site: Website) -> None:
    answer = site.client.post(NOTES, json={"start_s": 0.25, "end_s": 1.5, "text": " task 1\r\nbegins \n"})
    assert answer.status_code == 201
    note = answer.get_json()
    assert answer.headers["Location"] == note["links"]["self"] == f"{NOTES}/{note['id']}"
    assert (note["start_s"], note["end_s"], note["text"]) == (0.25, 1.5, "task 1\nbegins")
    assert note["created_at"].endswith("Z")
    assert site.client.get(NOTES).get_json() == {"notes": [note]}

    changed = site.client.patch(note["links"]["self"], json={"text": "task one"}).get_json()
    assert changed == note | {"text": "task one", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > note["updated_at"]
    moved = site.client.patch(note["links"]["self"], json={"start_s": 2, "end_s": None}).get_json()
    assert (moved["start_s"], moved["end_s"], moved["text"]) == (2.0, None, "task one")

    gone = site.client.delete(note["links"]["self"])
    assert (gone.status_code, gone.data) == (204, b"")
    assert site.client.get(NOTES).get_json() == {"notes": []}
    for method in ("PATCH", "DELETE"):
        assert_problem(site.client.open(note["links"]["self"], method=method, json={"text": "x"}), 404, "not_found")


def test_notes_are_in_order_of_time(site: Website) -> None:
    for start_s, end_s, text in ((1.5, None, "c"), (0.5, 2.0, "b"), (0.5, None, "a"), (0.5, 1.0, "between")):
        write(site, start_s=start_s, end_s=end_s, text=text)
    assert [note["text"] for note in site.client.get(NOTES).get_json()["notes"]] == ["a", "between", "b", "c"]


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"start_s": -0.1}, "bad_time", "`start_s` was expected to be a number from 0 on, but is -0.1"),
        (
            {"start_s": 2.1},
            "bad_time",
            "The start was expected to lie in the recording, from 0 to 2 seconds, but is 2.1",
        ),
        ({"start_s": 10**400}, "bad_time", "a number from 0 on"),
        ({"start_s": "0:01"}, "bad_time", "but is '0:01'"),
        ({"start_s": True}, "bad_time", "start"),
        ({"start_s": None}, "bad_time", "start"),
        ({"start_s": float("nan")}, "bad_time", "but is nan"),
        ({"end_s": 5}, "bad_time", "The end"),
        ({"end_s": 0.5}, "bad_range", "The end (0:00.5) must come after the start (0:00.5)"),
        ({"text": ""}, "bad_text", "1 to 1,000 characters; this one has 0"),
        ({"text": " \n"}, "bad_text", "has 0"),
        ({"text": "x" * 1001}, "bad_text", "has 1,001"),
        ({"text": 7}, "bad_text", "text"),
        ({"text": "a\0b"}, "bad_text", "can't be shown or stored"),
        ({"text": "half \ud83d"}, "bad_text", "can't be shown or stored"),
        ({"colour": "red"}, "bad_note", "no 'colour'"),
    ],
)
def test_what_cannot_be_a_note_is_refused(site: Website, fields: dict[str, Any], code: str, words: str) -> None:
    sent = {"start_s": 0.5, "text": "a note"} | fields
    assert words in assert_problem(site.client.post(NOTES, json=sent), 400, code)
    assert site.client.get(NOTES).get_json() == {"notes": []}
    note = write(site)
    assert words in assert_problem(site.client.patch(note["links"]["self"], json=fields), 400, code)
    assert site.client.get(NOTES).get_json() == {"notes": [note]}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"text"', b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_object_is_refused(site: Website, body: bytes) -> None:
    assert_problem(site.client.post(NOTES, data=body, content_type="application/json"), 400, "bad_note")


def test_notes_are_those_of_all_analyses_of_the_recording(site: Website) -> None:
    note = write(site, end_s=1.5, text="task 1")
    with site.database.read() as session:
        sha256 = videos.get(session, "v").sha256
    site.done(TWO_FACES, "again", sha256=sha256, model_version="paper-2")
    path = f"/api/v1/videos/again/notes/{note['id']}"
    assert site.client.get("/api/v1/videos/again/notes").get_json() == {"notes": [note | {"links": {"self": path}}]}
    assert "task 1" in text_of(site.client.get("/videos/again").text)
    assert "task 1" in site.client.get("/api/v1/videos/again/notes.csv").text
    assert site.client.get("/api/v1/videos/again/timeline.json").get_json()["notes"][0]["text"] == "task 1"
    assert site.client.patch(path, json={"text": "task 2"}).status_code == 200
    assert site.client.get(NOTES).get_json()["notes"][0]["text"] == "task 2"
    assert site.client.delete("/api/v1/videos/v").status_code == 204
    assert [left["id"] for left in site.client.get("/api/v1/videos/again/notes").get_json()["notes"]] == [note["id"]]
    assert site.client.delete(path).status_code == 204
    assert site.client.get("/api/v1/videos/again/notes").get_json() == {"notes": []}


def test_a_note_belongs_to_its_recording(site: Website) -> None:
    note = write(site)
    site.done(TWO_FACES, "w")
    for method in ("PATCH", "DELETE"):
        path = f"/api/v1/videos/w/notes/{note['id']}"
        assert_problem(site.client.open(path, method=method, json={"text": "x"}), 404, "not_found")
    assert_problem(site.client.get("/api/v1/videos/nobody/notes"), 404, "not_found")
    assert_problem(site.client.post("/api/v1/videos/nobody/notes", json={"start_s": 0, "text": "x"}), 404, "not_found")
    assert site.client.get(NOTES).get_json() == {"notes": [note]}


def test_the_end_of_the_recording_can_be_marked(site: Website) -> None:
    assert write(site, start_s=1, end_s=2.0004)["end_s"] == 2.0


def test_another_site_cannot_write_notes(site: Website) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert_problem(site.client.post(NOTES, json={"start_s": 0, "text": "x"}, headers=headers), 403, "foreign_origin")


def test_notes_work_by_forms(site: Website) -> None:
    answer = site.post("/videos/v/notes", {"start": "0:01", "end": "1,5", "text": "task <1>"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/videos/v#notes")
    (note,) = site.client.get(NOTES).get_json()["notes"]
    assert (note["start_s"], note["end_s"], note["text"]) == (1.0, 1.5, "task <1>")
    page = site.client.get("/videos/v").text
    assert "0:01 \N{EN DASH} 0:01.5" in text_of(page)
    assert "task &lt;1&gt;" in page
    assert 'value="0:01.5"' in page

    assert site.post(f"/videos/v/notes/{note['id']}", {"start": "0", "end": "", "text": "now"}).status_code == 303
    (note,) = site.client.get(NOTES).get_json()["notes"]
    assert (note["start_s"], note["end_s"], note["text"]) == (0.0, None, "now")
    assert site.post(f"/videos/v/notes/{note['id']}/delete", {}).status_code == 303
    assert site.client.get(NOTES).get_json() == {"notes": []}
    assert "No notes yet" in site.client.get("/videos/v").text


@pytest.mark.parametrize("start", ["", "soon", "1:2:3:4", "-1", "1e1", "0:90:00.5.5", "\u0661"])
def test_a_time_that_cannot_be_read_is_refused_on_a_page(site: Website, start: str) -> None:
    answer = site.post("/videos/v/notes", {"start": start, "end": "", "text": "x"})
    assert answer.status_code == 400
    assert answer.content_type.startswith("text/html")
    assert "minutes and seconds (2:05)" in answer.text
    assert site.client.get(NOTES).get_json() == {"notes": []}


def test_list_is_the_same_alone_and_on_the_page(site: Website) -> None:
    write(site, text="alone")
    assert text_of(site.client.get("/videos/v/notes").text) in text_of(site.client.get("/videos/v").text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00"), (7, "0:07"), (59.9996, "1:00"), (62.5, "1:02.5"), (750.025, "12:30.025"), (3723, "1:02:03"),
        (3600, "1:00:00"), (36000.1, "10:00:00.1"), (10, "0:10"),
    ],
)  # fmt: skip
def test_moments_are_shown_to_the_millisecond(seconds: float, shown: str) -> None:
    assert exact(seconds) == shown


def test_notes_come_back_from_the_csv_and_the_sidecar(site: Website) -> None:
    write(site, start_s=1, end_s=2, text='=HYPERLINK("x")')
    write(site, start_s=0.125, text='"quoted",\nover two lines; ünïcödé 视频')
    table = pd.read_csv(io.BytesIO(site.client.get("/api/v1/videos/v/notes.csv").data))
    assert table["start"].tolist() == [0.125, 1.0]
    assert table["end"].isna().tolist() == [True, False]
    assert table["text"].tolist() == ['"quoted",\nover two lines; ünïcödé 视频', '\'=HYPERLINK("x")']
    assert pd.to_datetime(table["created_at"]).dt.tz is not None
    assert site.client.get("/api/v1/videos/v/timeline.json").get_json()["notes"] == [
        {"start_s": 0.125, "end_s": None, "text": '"quoted",\nover two lines; ünïcödé 视频'},
        {"start_s": 1.0, "end_s": 2.0, "text": '=HYPERLINK("x")'},
    ]


def test_notes_live_as_long_as_their_recording(database: Database) -> None:
    with database.write() as session:
        for video_id, version, sha256 in (("b", "1", "aa"), ("a", "2", "aa"), ("other", "1", "bb")):
            videos.create(session, new_video(video_id, sha256, model_version=version))
        for video_id, start_s in (("b", 1.0004), ("a", 0.25), ("other", 0.0)):
            notes.add(session, videos.get(session, video_id), Written(start_s, None, "x"))
    for video_id in ("b", "a"):
        with database.read() as session:
            found = notes.listed(session, videos.get(session, video_id))
            assert [note.start_s for note in found] == [0.25, 1.0]
            assert found[0].created_at.tzinfo is not None
        with database.write() as session:
            videos.remove(session, video_id)
    with database.read() as session:
        assert [note.video_id for note in session.scalars(select(Note))] == ["other"]


def test_analyses_deleted_at_once_leave_no_note_and_none_waits_for_another(database: Database) -> None:
    names = [f"v{number}" for number in range(6)]
    with database.write() as session:
        for name in names:
            video, _ = videos.create(session, new_video(name, "aa", model_version=name))
            notes.add(session, video, Written(0.0, None, name))

    def remove(name: str) -> None:
        with database.write() as session:
            videos.remove(session, name)

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(remove, names))
    with database.read() as session:
        assert not session.scalars(select(Note)).all()


@pytest.mark.slow
def test_notes_are_bounded(database: Database) -> None:
    add(database)
    with database.write() as session:
        video = videos.get(session, "first")
        for _ in range(MOST):
            notes.add(session, video, Written(0.0, None, "x"))
        with pytest.raises(Conflict, match="up to 1,000 notes"):
            notes.add(session, video, Written(0.0, None, "x"))
