"""The HTTP API: what it answers in every state of a video."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from emotion_timeline.db import videos, work
from emotion_timeline.db.session import Database
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.tidy import CSV_COLUMNS
from emotion_timeline.views import listing
from tests.services import ASTRONAUT
from tests.website import HAPPY, INFO, NEUTRAL, TWO_FACES, Website, assert_problem
from web.http.service import Service, install


def test_upload_is_stored_and_queued(site: Website) -> None:
    response = site.upload(filename="My clip.mp4")
    assert response.status_code == 202
    body = response.get_json()
    assert response.headers["Location"] == body["links"]["self"] == f"/api/v1/videos/{body['id']}"
    assert (body["status"], body["filename"], body["duplicate"]) == ("queued", "My clip.mp4", False)
    assert body["progress"] == {
        "frames_done": 0, "frames_total": None, "fps": None, "eta_s": None, "queue_position": 1,
    }  # fmt: skip
    assert body["error"] is None
    assert body["model"] == {"name": "paper", "version": "paper-test"}
    assert body["video"]["codec"] == "h264"
    assert body["video"]["frame_count"] > 1
    assert site.files() == [body["id"]]
    assert site.settings.recording(body["id"]).read_bytes() == ASTRONAUT.read_bytes()
    shown = site.client.get(response.headers["Location"]).get_json()
    assert shown == {name: value for name, value in body.items() if name != "duplicate"}


def test_upload_calls_a_worker(site: Website) -> None:
    site.forget_calls()
    site.upload()
    assert site.has_called


def test_same_recording_again_is_the_same_video(site: Website) -> None:
    first = site.upload(filename="one.mp4").get_json()
    second = site.upload(filename="two.mp4")
    assert second.status_code == 200
    body = second.get_json()
    assert (body["id"], body["filename"], body["duplicate"]) == (first["id"], "one.mp4", True)
    assert "uploaded before" in body["message"]
    assert second.headers["Location"] == first["links"]["self"]
    assert site.files() == [first["id"]]
    assert site.rows() == 1


def test_other_sampling_is_another_video(site: Website) -> None:
    first, second = site.upload(), site.upload(sample_hz="2.5")
    assert second.status_code == 202
    assert second.get_json()["sample_hz"] == 2.5
    assert sorted(site.files()) == sorted([first.get_json()["id"], second.get_json()["id"]])


def test_cancelled_video_is_queued_again_by_an_upload(site: Website) -> None:
    first = site.upload().get_json()
    site.client.post(first["links"]["cancel"])
    second = site.upload()
    assert second.status_code == 200
    assert (second.get_json()["id"], second.get_json()["status"]) == (first["id"], "queued")


def test_upload_restores_a_recording_that_vanished(site: Website) -> None:
    first = site.upload().get_json()
    site.settings.recording(first["id"]).unlink()
    assert site.upload().get_json()["duplicate"]
    assert site.files() == [first["id"]]


@pytest.mark.parametrize("text", ["0", "-1", "1001", "nan", "inf", "many", "1e999"])
def test_impossible_sampling_is_refused(site: Website, text: str) -> None:
    assert "sample_hz" in assert_problem(site.upload(sample_hz=text), 400, "bad_sample_hz")
    site.assert_nothing_left()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "clip"),
    [
        ({"clip_start_s": "0.5", "clip_end_s": "2"}, {"start_s": 0.5, "end_s": 2.0}),
        ({"clip_start_s": " 1.25 ", "clip_end_s": ""}, {"start_s": 1.25, "end_s": None}),
        ({"clip_start_s": "0", "clip_end_s": "2"}, {"start_s": None, "end_s": 2.0}),
        ({"clip_start_s": "0", "clip_end_s": ""}, None),
        ({}, None),
    ],
)
def test_clip_of_a_form_is_kept(site: Website, fields: dict[str, Any], clip: dict[str, float | None] | None) -> None:
    assert site.upload(**fields).get_json()["clip"] == clip
    assert site.upload(**fields).get_json()["duplicate"]
    assert site.upload().get_json()["duplicate"] == (clip is None), "another stretch is other work"


@pytest.mark.parametrize(
    "fields",
    [
        {"clip_start_s": "-1"},
        {"clip_start_s": "soon"},
        {"clip_start_s": "nan"},
        {"clip_end_s": "inf"},
        {"clip_end_s": "0"},
        {"clip_start_s": "2", "clip_end_s": "2"},
        {"clip_start_s": "3", "clip_end_s": "2"},
    ],
)
def test_clip_without_meaning_is_refused(site: Website, fields: dict[str, Any]) -> None:
    assert_problem(site.upload(**fields), 400, "bad_clip")
    site.assert_nothing_left()


def test_clip_after_the_recording_is_refused(site: Website) -> None:
    assert "1000 s" in assert_problem(site.upload(clip_start_s="1000"), 422, "empty_clip")
    site.assert_nothing_left()


def test_list_is_paged_newest_first(site: Website) -> None:
    for name in "abc":
        site.queued(name)
    body = site.client.get("/api/v1/videos?limit=2").get_json()
    assert ([video["id"] for video in body["videos"]], body["total"]) == (["c", "b"], 3)
    body = site.client.get("/api/v1/videos?limit=2&offset=2").get_json()
    assert ([video["id"] for video in body["videos"]], body["offset"]) == (["a"], 2)
    assert [video["progress"]["queue_position"] for video in body["videos"]] == [1]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=", "limit=1.5", "limit=" + "9" * 5000])
def test_impossible_page_is_refused(site: Website, query: str) -> None:
    assert_problem(site.client.get(f"/api/v1/videos?{query}"), 400, "bad_limit")
    assert_problem(site.client.get("/api/v1/videos?offset=-1"), 400, "bad_offset")


def test_running_video_tells_its_progress(site: Website) -> None:
    segment_id = site.planned(site.queued(), range(20))
    with site.database.write() as session:
        claimed = work.claim_segment(session, segment_id, 60, 3)
        assert claimed is not None
        work.renew(session, claimed[0], 60, frames_done=5)
    body = site.client.get("/api/v1/videos/v").get_json()
    assert body["status"] == "running"
    progress = body["progress"]
    assert (progress["frames_done"], progress["frames_total"], progress["queue_position"]) == (5, 20, None)
    assert progress["fps"] > 0
    assert progress["eta_s"] >= 0
    assert body["started_at"].endswith("Z")
    assert datetime.fromisoformat(body["created_at"]) <= datetime.fromisoformat(body["started_at"])


def test_done_video_tells_its_counts(site: Website) -> None:
    body = site.client.get(f"/api/v1/videos/{site.done(TWO_FACES)}").get_json()
    assert body["status"] == "done"
    assert body["frames_by_status"] == {"ok": 3, "too_small": 0, "no_face": 1, "decode_error": 0}
    assert body["faces"] == 2
    assert body["finished_at"].endswith("Z")


def test_csv_reads_back_as_it_was_written(site: Website) -> None:
    site.done(TWO_FACES, filename='=cmd|"x",\ny.mp4')
    response = site.client.get("/api/v1/videos/v/timeline.csv")
    assert response.status_code == 200
    assert response.content_type == "text/csv; charset=utf-8"
    table = pd.read_csv(io.BytesIO(response.data))
    assert tuple(table.columns) == CSV_COLUMNS
    assert table["frame"].tolist() == [0, 1, 1, 2, 3, 3]
    assert table["status"].tolist() == ["ok", "ok", "ok", "no_face", "ok", "ok"]
    assert table["face_id"].tolist()[:3] == [1, 1, 2]
    assert set(table["source_file"]) == {'\'=cmd|"x",\ny.mp4'}
    rows = table[table["status"] == "ok"]
    expected = np.array([HAPPY, HAPPY, NEUTRAL, NEUTRAL, NEUTRAL])
    np.testing.assert_allclose(rows[list(EMOTIONS)].to_numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(rows["timestamp"], [0, 0.1, 0.1, 0.3, 0.3], atol=1e-6)
    assert table.loc[3, list(EMOTIONS)].isna().all()


def test_download_sees_one_moment_of_the_database(database: Database) -> None:
    new = videos.NewVideo("v", "a.mp4", 1, "aa", None, "paper", "1", INFO)
    with database.write() as session:
        videos.create(session, new)
    with database.read() as download:
        assert listing.page(download)[1] == 1
        with database.write() as session:
            videos.remove(session, "v")
        assert listing.page(download)[1] == 1
    with database.read() as session:
        assert listing.page(session)[1] == 0


@pytest.mark.parametrize("filename", ["session 7.mov", 'a"b;c.mp4', "ünïcödé 视频.mp4", "..", "x" * 255])
def test_downloads_are_named_after_the_recording(site: Website, filename: str) -> None:
    site.done(TWO_FACES, filename=filename)
    for suffix in (".csv", ".json"):
        header = site.client.get(f"/api/v1/videos/v/timeline{suffix}").headers["Content-Disposition"]
        assert header.startswith('attachment; filename="')
        assert header.isascii()
        assert header.count('"') == 2
        assert unquote(header.rpartition("filename*=UTF-8''")[2]) == Path(filename).stem + suffix


def test_sidecar_tells_how_the_timeline_was_made(site: Website) -> None:
    site.done(TWO_FACES, sample_hz=5.0)
    body = site.client.get("/api/v1/videos/v/timeline.json").get_json()
    assert body["settings"] == {"sample_hz": 5.0, "clip": None, "rotate": 0}
    assert body["model"] == {"name": "paper", "version": "paper-1"}
    assert body["frames_by_status"]["no_face"] == 1
    assert set(body["columns"]) == set(CSV_COLUMNS)


@pytest.mark.parametrize("name", ["timeline.csv", "timeline.json", "chart.json"])
def test_timeline_is_refused_until_the_video_is_done(site: Website, name: str) -> None:
    site.queued()
    assert "queued" in assert_problem(site.client.get(f"/api/v1/videos/v/{name}"), 409, "conflict")


def test_cancel_and_retry(site: Website) -> None:
    site.queued()
    cancelled = site.client.post("/api/v1/videos/v/cancel")
    assert (cancelled.status_code, cancelled.get_json()["status"]) == (200, "cancelled")
    assert_problem(site.client.post("/api/v1/videos/v/cancel"), 409, "conflict")
    again = site.client.post("/api/v1/videos/v/retry")
    assert (again.status_code, again.get_json()["status"]) == (202, "queued")
    assert_problem(site.client.post("/api/v1/videos/v/retry"), 409, "conflict")


def test_failed_video_says_why_and_can_be_retried(site: Website) -> None:
    body = site.client.get(f"/api/v1/videos/{site.failed()}").get_json()
    assert body["error"] == {"code": "crashed", "message": "It stopped <the> process 3 times."}
    assert site.client.post("/api/v1/videos/v/retry").get_json()["error"] is None


def test_delete_removes_rows_and_recording(site: Website) -> None:
    site.done(TWO_FACES)
    response = site.client.delete("/api/v1/videos/v")
    assert (response.status_code, response.data) == (204, b"")
    site.assert_nothing_left()
    assert_problem(site.client.delete("/api/v1/videos/v"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry"), ("POST", "/reanalyze"),
        ("GET", "/timeline.csv"), ("GET", "/timeline.json"), ("GET", "/chart.json"), ("GET", "/nothing"),
    ],
)  # fmt: skip
def test_unknown_video_is_a_problem(site: Website, method: str, path: str) -> None:
    assert_problem(site.client.open(f"/api/v1/videos/nobody{path}", method=method), 404, "not_found")


def test_wrong_method_names_the_right_ones(site: Website) -> None:
    response = site.client.put("/api/v1/videos")
    assert_problem(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_health_follows_the_database(own_site: Website) -> None:
    response = own_site.client.get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok", "worker": "missing"})
    nowhere = Database("postgresql+psycopg://127.0.0.1:1/nothing?connect_timeout=2")
    install(own_site.app.extensions, Service(own_site.settings, nowhere, "0"))
    assert own_site.client.get("/healthz").status_code == 503
    response = own_site.client.get("/api/v1/videos")
    assert_problem(response, 503, "database_unavailable")
    assert response.headers["Retry-After"]
    assert "127.0.0.1" not in response.text


def test_unforeseen_error_says_nothing_of_the_inside(own_site: Website, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise LookupError("a secret of the inside")

    own_site.app.add_url_rule("/api/v1/broken", view_func=broken)
    response = own_site.client.get("/api/v1/broken")
    assert_problem(response, 500, "internal_error")
    assert "secret" not in response.text
    assert "a secret of the inside" in caplog.text  # the log has it all


def test_every_state_can_be_listed(site: Website) -> None:
    site.done(TWO_FACES, "done")
    site.failed("failed")
    site.queued("queued")
    with site.database.write() as session:
        videos.cancel(session, site.queued("cancelled"))
    listed = site.client.get("/api/v1/videos").get_json()["videos"]
    assert {video["id"]: video["status"] for video in listed} == {
        name: name for name in ("done", "failed", "queued", "cancelled")
    }
