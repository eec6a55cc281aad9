"""Uploads that can't be taken: a plain sentence, the right status, and neither a row nor a file left behind."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.media.paff import write_paff
from tests.services import ASTRONAUT, wait_until
from tests.website import Website, assert_problem
from web import create_app
from web.uploads.intake import clean_filename

MP4 = ASTRONAUT.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(os.urandom(50_000), id="random bytes"),
        pytest.param(b"Just a text, renamed.\n" * 100, id="text"),
        pytest.param(Path(sys.executable).resolve().read_bytes()[:500_000], id="executable"),
        pytest.param(MP4[:2000], id="cut to its first 2 kB"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(1000), id="broken picture"),
        pytest.param(b"\0", id="one byte"),
    ],
)
def test_what_is_no_video_is_refused(site: Website, content: bytes) -> None:
    response = site.upload(content, "holiday.mp4")
    assert response.status_code == 422
    problem = response.get_json(force=True)
    assert problem["code"]
    assert problem["detail"].endswith(".")
    assert ".part" not in problem["detail"]  # our name for the file means nothing to the person
    site.assert_nothing_left()


def test_empty_file_is_refused(site: Website) -> None:
    assert_problem(site.upload(b""), 400, "empty")
    site.assert_nothing_left()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sample_hz": "5", "file": (b"", "")}, "no_file"),  # a browser's form without a chosen file
        ({"video": (MP4, "a.mp4")}, "no_file"),
        ({"file": "text in place of a file", "other": (MP4, "a.mp4")}, "no_file"),
        ({"file": (MP4, "a.mp4"), "speed": "fast"}, "unknown_field"),
        ({"file": (MP4, "a.mp4"), "second": (MP4, "b.mp4")}, "several_files"),
    ],
)
def test_other_forms_are_refused(site: Website, fields: dict[str, Any], code: str) -> None:
    assert_problem(site.post("/api/v1/videos", fields), 400, code)
    site.assert_nothing_left()


def test_body_that_is_no_form_is_refused(site: Website) -> None:
    response = site.client.post("/api/v1/videos", data=MP4, content_type="video/mp4")
    assert_problem(response, 415, "not_a_form")
    assert_problem(site.client.post("/api/v1/videos"), 415, "not_a_form")
    site.assert_nothing_left()


def test_form_without_its_last_boundary_is_refused(site: Website) -> None:
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    response = site.client.post("/api/v1/videos", data=head + MP4, content_type="multipart/form-data; boundary=B")
    assert_problem(response, 400, "incomplete")
    site.assert_nothing_left()


@pytest.mark.parametrize("size", [20_000, 3_000_000], ids=["found while writing", "announced"])
def test_file_over_the_limit_is_refused(tmp_path: Path, size: int) -> None:
    site = Website(tmp_path, max_upload_bytes=10_000)
    sentence = assert_problem(site.upload(bytes(size)), 413, "too_large")
    assert "0.01 MB" in sentence
    site.assert_nothing_left()


def test_file_at_the_limit_is_taken(tmp_path: Path) -> None:
    site = Website(tmp_path, max_upload_bytes=len(MP4))
    assert site.upload().status_code == 202


def test_oversized_fields_are_refused(site: Website) -> None:
    assert_problem(site.upload(sample_hz="1" * 1_000_000), 413, "form_too_large")
    assert_problem(site.post("/api/v1/videos", {f"field{n}": "x" for n in range(30)}), 413, "form_too_large")
    site.assert_nothing_left()


def test_upload_is_refused_when_the_disk_would_be_too_full(tmp_path: Path) -> None:
    site = Website(tmp_path, min_free_bytes=1 << 60)
    assert "disk space" in assert_problem(site.upload(), 507, "no_space")
    site.assert_nothing_left()


def test_disk_that_fills_up_while_writing_is_a_plain_refusal(site: Website) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    site.client.get("/")  # the database's own files are made before the limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        response = site.upload()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert_problem(response, 507, "no_space")
    site.assert_nothing_left()


def test_file_that_kills_the_probe_is_refused(site: Website) -> None:
    killer = threading.Thread(target=kill_the_probe)
    killer.start()
    assert_problem(site.upload(), 422, "unreadable")
    killer.join()
    site.assert_nothing_left()


def kill_the_probe() -> None:
    def children() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if "emotion_timeline.media.probe" in child.cmdline()]

    wait_until(children, 20, "starting a probe")
    for child in children():
        child.kill()


def test_file_that_takes_the_probe_too_long_is_refused(tmp_path: Path) -> None:
    site = Website(tmp_path, probe_timeout_s=0.01)
    assert_problem(site.upload(), 422, "too_slow")
    site.assert_nothing_left()


def test_abandoned_parts_are_removed_at_start(site: Website) -> None:
    folder = site.settings.recordings_dir
    for name in ("old.part", "new.part", "kept"):
        (folder / name).write_bytes(b"x")
    two_hours_ago = time.time() - 7200
    for name in ("old.part", "kept"):
        os.utime(folder / name, (two_hours_ago, two_hours_ago))
    create_app(site.settings)
    assert site.files() == ["kept", "new.part"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("holiday.mp4", "holiday.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\clip.avi", "clip.avi"),
        ("a\x00b\r\nc\x1b[31m.mp4", "abc[31m.mp4"),
        ("evil\u202e4pm.exe", "evil4pm.exe"),
        ("lone\udc80surrogate.mp4", "lonesurrogate.mp4"),
        ("ünï 视频.mp4", "ünï 视频.mp4"),
        ("", "recording"),
        ("folder/", "recording"),
        (" \x00 ", "recording"),
        ("x" * 300, "x" * 255),
    ],
)
def test_filename_becomes_harmless_text(given: str, shown: str) -> None:
    assert clean_filename(given) == shown


def test_long_recording_is_taken_by_its_beginning(site: Website, tmp_path: Path) -> None:
    """Where it is cut and ends is found when it is planned, so a clip isn't refused for what only its header says."""
    content = write_paff(tmp_path / "lecture.ts", 40, times=30).read_bytes()
    answer = site.upload(content, "lecture.ts", clip_start_s="1000").get_json()
    assert (answer["status"], answer["video"]["frame_count"]) == ("queued", None)
    assert answer["video"]["duration_s"] == pytest.approx(48, abs=0.1)
    assert "lecture.ts" in site.client.get(f"/videos/{answer['id']}").text
    assert "lecture.ts" in site.client.get("/").text
