"""A recording analysed more than once, by the API: every analysis lives by itself, and names the others."""

import errno
import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from emotion_timeline.db import videos
from emotion_timeline.db.tables import VideoStatus
from emotion_timeline.errors import ModelError
from emotion_timeline.exports import tidy
from tests.website import RECORDING, SAME_RECORDING, TWO_FACES, Website, assert_problem, text_of


def reanalyze(site: Website, video_id: str = "v") -> Any:
    return site.client.post(f"/api/v1/videos/{video_id}/reanalyze")


def shown(site: Website, video_id: str) -> dict[str, Any]:
    body: dict[str, Any] = site.client.get(f"/api/v1/videos/{video_id}").get_json()
    return body


def test_analysing_again_makes_a_video_of_the_same_recording(site: Website) -> None:
    site.done(TWO_FACES, filename="session 7.mov", sample_hz=5.0, **SAME_RECORDING)
    before = shown(site, "v")
    site.forget_calls()
    response = reanalyze(site)
    assert response.status_code == 202
    body = response.get_json()
    assert response.headers["Location"] == body["links"]["self"] != before["links"]["self"]
    assert (body["status"], body["duplicate"]) == ("queued", False)
    for name in ("filename", "sample_hz", "video"):
        assert body[name] == before[name]
    assert body["model"] == {"name": "paper", "version": "paper-test"}
    assert shown(site, "v") == before | {"analyses": shown(site, "v")["analyses"]}, "the earlier one stays as it was"
    assert site.has_called


def test_analyses_of_a_recording_share_its_bytes_and_outlive_each_other(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    second = reanalyze(site).get_json()["id"]
    site.serve("paper-next")
    third = reanalyze(site, second).get_json()["id"]
    first_file, *other_files = (site.settings.recording(name) for name in ("v", second, third))
    assert all(file.samefile(first_file) for file in other_files)
    csv = site.client.get("/api/v1/videos/v/timeline.csv").data
    assert site.client.delete(f"/api/v1/videos/{second}").status_code == 204
    assert site.client.get("/api/v1/videos/v/timeline.csv").data == csv
    assert first_file.read_bytes() == RECORDING
    site.client.delete("/api/v1/videos/v")
    assert site.files() == [third]
    assert site.settings.recording(third).read_bytes() == RECORDING
    site.client.delete(f"/api/v1/videos/{third}")
    site.assert_nothing_left()


def test_the_very_same_analysis_is_not_made_twice(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    first = reanalyze(site).get_json()["id"]
    for video_id in ("v", first):
        again = reanalyze(site, video_id)
        assert (again.status_code, again.get_json()["id"], again.get_json()["duplicate"]) == (200, first, True)
        assert again.headers["Location"] == f"/api/v1/videos/{first}"
        assert "with these settings" in again.get_json()["message"]
    assert (site.rows(), len(site.files())) == (2, 2)


def test_an_older_network_can_be_asked_again_and_is_known(site: Website) -> None:
    site.serve("paper-1")
    site.done(TWO_FACES, **SAME_RECORDING)
    site.serve("paper-2")
    newer = reanalyze(site).get_json()["id"]
    site.serve("paper-1")
    assert (reanalyze(site, newer).status_code, reanalyze(site, newer).get_json()["id"]) == (200, "v")


def test_a_failed_or_cancelled_analysis_by_this_network_goes_on(site: Website) -> None:
    site.failed(model_version="paper-test", **SAME_RECORDING)
    again = reanalyze(site)
    assert (again.status_code, again.get_json()["id"], again.get_json()["status"]) == (200, "v", "queued")
    with site.database.write() as session:
        videos.cancel(session, "v")
    assert reanalyze(site).get_json()["status"] == "queued"
    assert site.files() == ["v"]


@pytest.mark.parametrize("state", list(VideoStatus))
def test_a_video_in_any_state_can_be_analysed_again(site: Website, state: VideoStatus) -> None:
    if state is VideoStatus.DONE:
        site.done(TWO_FACES, **SAME_RECORDING)
    elif state is VideoStatus.FAILED:
        site.failed(**SAME_RECORDING)
    else:
        site.queued(**SAME_RECORDING)
    if state is VideoStatus.RUNNING:
        site.planned("v", range(20))
    if state is VideoStatus.CANCELLED:
        with site.database.write() as session:
            videos.cancel(session, "v")
    assert reanalyze(site).status_code == 202
    assert shown(site, "v")["status"] == state.value


def test_a_recording_that_is_gone_is_told_and_nothing_is_lost(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    csv = site.client.get("/api/v1/videos/v/timeline.csv").data
    site.settings.recording("v").unlink()
    assert "Upload it" in assert_problem(reanalyze(site), 410, "recording_gone")
    assert (site.rows(), site.files()) == (1, [])
    assert site.client.get("/api/v1/videos/v/timeline.csv").data == csv
    page = site.client.post("/videos/v/reanalyze")
    assert (page.status_code, page.content_type) == (410, "text/html; charset=utf-8")
    site.serve("paper-1")
    assert reanalyze(site).get_json()["id"] == "v", "what is done needs no file"


def test_another_analysis_lends_its_file_when_the_own_one_is_gone(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    site.done(TWO_FACES, "w", model_version="paper-2", **SAME_RECORDING)
    site.settings.recording("v").unlink()
    made = reanalyze(site).get_json()["id"]
    assert site.settings.recording(made).samefile(site.settings.recording("w"))


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links, such as FAT."""

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("no_links")
def test_the_recording_is_copied_where_files_cannot_be_linked(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    made = reanalyze(site).get_json()["id"]
    assert not site.settings.recording(made).samefile(site.settings.recording("v"))
    assert site.settings.recording(made).read_bytes() == RECORDING
    assert site.files() == sorted(["v", made])
    site.settings.recording("v").unlink()
    site.settings.recording(made).unlink()
    site.serve("paper-next")
    assert_problem(reanalyze(site), 410, "recording_gone")


@pytest.mark.usefixtures("no_links")
def test_a_copy_without_room_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    site = Website(tmp_path, min_free_bytes=1 << 60)
    site.done(TWO_FACES, **SAME_RECORDING)
    assert "disk space" in assert_problem(reanalyze(site), 507, "no_space")
    assert (site.rows(), site.files()) == (1, ["v"])


@pytest.mark.usefixtures("no_links")
def test_a_disk_that_fills_up_during_the_copy_is_a_plain_refusal(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    site.settings.recording("v").write_bytes(bytes(5_000_000))
    with largest_file(2_000_000):
        response = reanalyze(site)
    assert_problem(response, 507, "no_space")
    assert (site.rows(), site.files()) == (1, ["v"])


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_row_that_cannot_be_written_leaves_no_file(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)

    def refuse(*_: Any) -> None:
        raise ConnectionError("the database went away")

    event.listen(site.database.engine, "commit", refuse)
    assert_problem(reanalyze(site), 500, "internal_error")
    event.remove(site.database.engine, "commit", refuse)
    assert (site.rows(), site.files()) == (1, ["v"])


def test_a_video_names_the_other_analyses_newest_first(site: Website) -> None:
    site.done(TWO_FACES, "a", **SAME_RECORDING)
    site.queued("b", model_version="paper-2", **SAME_RECORDING)
    site.failed("c", sample_hz=5.0, **SAME_RECORDING)
    site.queued("other recording")
    assert shown(site, "other recording")["analyses"] == []
    newest, oldest = shown(site, "b")["analyses"]
    assert (newest["id"], newest["status"], newest["sample_hz"]) == ("c", "failed", 5.0)
    whole = shown(site, "a")
    assert oldest["links"].items() <= whole["links"].items()  # that of the whole has what was made of it, too
    assert oldest == {name: whole[name] for name in oldest} | {"links": oldest["links"]}
    assert set(oldest) == {"id", "status", "sample_hz", "clip", "rotate", "model", "labels", "created_at", "links"}
    listed = site.client.get("/api/v1/videos").get_json()["videos"]
    assert {video["id"]: [other["id"] for other in video["analyses"]] for video in listed} == {
        "a": ["c", "b"], "b": ["c", "a"], "c": ["b", "a"], "other recording": [],
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/videos", "/"])
def test_a_list_asks_the_database_no_more_for_many_videos_than_for_two(site: Website, path: str) -> None:
    def questions() -> int:
        asked: list[str] = []

        def count(*event_arguments: Any) -> None:
            asked.append(event_arguments[2])

        event.listen(site.database.engine, "before_cursor_execute", count)
        assert site.client.get(path).status_code == 200
        event.remove(site.database.engine, "before_cursor_execute", count)
        return len(asked)

    site.queued("a", **SAME_RECORDING)
    site.queued("b", model_version="paper-2", **SAME_RECORDING)
    few = questions()
    for number in range(20):
        site.queued(f"v{number}", sha256=f"{number // 2}", model_version=f"paper-{number % 2}")
    assert questions() == few


def test_analysing_again_keeps_the_clip(site: Website) -> None:
    site.done(TWO_FACES, clip_start_s=0.5, clip_end_s=1.5, **SAME_RECORDING)
    body = reanalyze(site).get_json()
    assert body["clip"] == shown(site, "v")["clip"] == {"start_s": 0.5, "end_s": 1.5}
    assert "every frame, 0:00.5 to 0:01.5" in text_of(site.client.get("/videos/v").text)


@pytest.mark.slow
def test_another_detector_makes_a_new_analysis_and_is_named_beside_the_csv(tmp_path: Path) -> None:
    first = Website(tmp_path)
    one = first.upload().get_json()
    assert first.upload().get_json()["duplicate"]
    (other := tmp_path / "other.onnx").write_bytes(b"another network")
    second = Website(tmp_path, detector_path=other)
    two = second.upload().get_json()
    assert not two["duplicate"]
    assert second.upload().get_json()["id"] == two["id"]
    digest = hashlib.sha256(b"another network").hexdigest()[:8]
    for video, detector in (
        (one, {"name": "face_detection_yunet_2023mar", "sha256": "8f2383e4"}),
        (two, {"name": "other", "sha256": digest}),
    ):
        with second.database.read() as session:
            sidecar = tidy.sidecar(session, videos.get(session, video["id"]), "1")
        assert sidecar["detector"] == detector
    for website in (first, second):
        website.database.close()


def test_detector_that_is_not_there_is_told_at_start(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="TIMELINE_DETECTOR_PATH"):
        Website(tmp_path, detector_path=tmp_path / "none.onnx")
