"""Resumable uploads by the letter of the tus protocol, request by request. A real client: test_web_resuming.py."""

import hashlib
import os
from base64 import b64encode
from pathlib import Path

import pytest
from werkzeug.http import parse_date

from emotion_timeline.db import videos
from tests.tus import MP4, TUS, UPLOADS, begin, complete, metadata, offset_of, part, send, shown
from tests.website import Website, assert_problem


@pytest.mark.parametrize("path", [UPLOADS, f"{UPLOADS}/any"])
def test_options_say_what_the_server_can_do(site: Website, path: str) -> None:
    response = site.client.options(path)
    assert response.status_code == 204
    assert response.headers["Tus-Version"] == response.headers["Tus-Resumable"] == "1.0.0"
    assert set(response.headers["Tus-Extension"].split(",")) >= {"creation", "termination", "checksum", "expiration"}
    assert response.headers["Tus-Max-Size"] == str(site.settings.max_upload_bytes)
    assert {"sha1", "sha256"} <= set(response.headers["Tus-Checksum-Algorithm"].split(","))


def test_recording_in_pieces_becomes_a_video(site: Website) -> None:
    address = begin(site, filename="../evil\u202e.mp4", filetype="video/mp4", sample_hz="5", clip_end_s="3.5")
    assert shown(site, address) == {
        "id": address.rsplit("/", 1)[1], "filename": "evil.mp4", "size_bytes": len(MP4), "offset": 0,
        "status": "receiving", "video": None, "error": None,
    }  # fmt: skip
    for start in range(0, len(MP4), 100_000):
        assert offset_of(site, address) == start
        response = send(site, address, MP4[start : start + 100_000], start)
        assert response.status_code == 204
        assert response.headers["Upload-Offset"] == str(min(start + 100_000, len(MP4)))
        assert "Content-Type" not in response.headers
    upload = shown(site, address)
    assert (upload["status"], upload["offset"], upload["error"]) == ("accepted", len(MP4), None)
    assert upload["video"]["duplicate"] is False
    video = site.client.get(upload["video"]["links"]["self"]).get_json()
    assert site.client.get(upload["video"]["links"]["page"]).status_code == 200
    assert (video["status"], video["filename"], video["sample_hz"]) == ("queued", "evil.mp4", 5.0)
    assert video["clip"] == {"start_s": None, "end_s": 3.5}
    assert video["video"]["sha256"] == hashlib.sha256(MP4).hexdigest()
    assert site.files() == [video["id"]]
    assert site.settings.recording(video["id"]).read_bytes() == MP4
    assert offset_of(site, address) == len(MP4)


def test_same_recording_by_form_and_in_pieces_is_one_video(site: Website) -> None:
    first = site.upload().get_json()["id"]
    upload = shown(site, complete(site))
    assert (upload["video"]["id"], upload["video"]["duplicate"]) == (first, True)
    assert site.files() == [first]
    assert site.rows() == 1


def test_upload_remembers_its_metadata(site: Website) -> None:
    given = "filename Y2xpcC5tcDQ=,is_private,relativePath bnVsbA=="
    response = site.client.post(UPLOADS, headers=TUS | {"Upload-Length": "5", "Upload-Metadata": given})
    head = site.client.head(response.headers["Location"], headers=TUS)
    assert (head.headers["Upload-Metadata"], head.headers["Upload-Length"]) == (given, "5")


def test_first_bytes_may_come_with_the_creation(site: Website) -> None:
    headers = TUS | {"Upload-Length": str(len(MP4)), "Content-Type": "application/offset+octet-stream"}
    response = site.client.post(UPLOADS, headers=headers, data=MP4[:1000])
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, "1000")
    assert offset_of(site, response.headers["Location"]) == 1000
    response = site.client.post(UPLOADS, headers=headers, data=MP4)
    assert shown(site, response.headers["Location"])["status"] == "accepted"


def test_creation_with_bytes_that_are_refused_leaves_nothing(site: Website) -> None:
    headers = TUS | {"Upload-Length": "4", "Content-Type": "application/offset+octet-stream"}
    assert site.client.post(UPLOADS, headers=headers, data=b"text").status_code == 422
    site.assert_nothing_left()


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
@pytest.mark.parametrize("version", [{}, {"Tus-Resumable": "0.2.2"}])
def test_other_version_is_refused(site: Website, method: str, version: dict[str, str]) -> None:
    address = begin(site)
    path = UPLOADS if method == "POST" else address
    response = site.client.open(path, method=method, headers=version | {"Upload-Length": "5"})
    assert response.status_code == 412
    assert response.headers["Tus-Version"] == "1.0.0"
    assert offset_of(site, address) == 0


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "bad_upload_length"),
        ({"Upload-Length": "-1"}, 400, "bad_upload_length"),
        ({"Upload-Length": "1" * 30}, 400, "bad_upload_length"),
        ({"Upload-Defer-Length": "1"}, 400, "bad_upload_length"),
        ({"Upload-Length": "0"}, 400, "empty"),
        ({"Upload-Length": str(1 << 50)}, 413, "too_large"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename !!!"}, 400, "bad_upload_metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename gICA"}, 400, "bad_upload_metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(sample_hz="0")}, 400, "bad_sample_hz"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(clip_start_s="2", clip_end_s="2")}, 400, "bad_clip"),
    ],
)
def test_creation_that_makes_no_sense_is_refused(
    site: Website, headers: dict[str, str], status: int, code: str
) -> None:
    assert_problem(site.client.post(UPLOADS, headers=TUS | headers), status, code)
    site.assert_nothing_left()


def test_creation_counts_what_other_uploads_still_need(site: Website, tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    other = Website(tmp_path, min_free_bytes=free // 2, max_upload_bytes=free)
    response = other.client.post(UPLOADS, headers=TUS | {"Upload-Length": str(free // 3)})
    assert response.status_code == 201
    assert_problem(other.client.post(UPLOADS, headers=TUS | {"Upload-Length": str(free // 3)}), 507, "no_space")
    assert other.client.delete(response.headers["Location"], headers=TUS).status_code == 204
    assert other.client.post(UPLOADS, headers=TUS | {"Upload-Length": str(free // 3)}).status_code == 201
    other.database.close()


@pytest.mark.parametrize(
    ("changes", "offset", "data", "status", "code"),
    [
        ({}, 5, b"x", 409, "wrong_offset"),
        ({}, 20, b"x", 409, "wrong_offset"),
        ({"Upload_Offset": "ten"}, 10, b"x", 400, "bad_upload_offset"),
        ({"Content_Type": "video/mp4"}, 10, b"x", 415, "not_a_piece"),
        ({}, 10, bytes(91), 413, "too_much"),
        ({"Upload_Checksum": "crc32 AAAA"}, 10, b"x", 400, "bad_checksum"),
        ({"Upload_Checksum": "sha1 ???"}, 10, b"x", 400, "bad_upload_checksum"),
        ({"Upload_Checksum": "sha1 EfatjsUqIYSoaFpEBJZPEUcrZp0="}, 10, b"x", 460, "checksum_mismatch"),
    ],
)
def test_piece_that_does_not_fit_changes_nothing(
    site: Website, changes: dict[str, str], offset: int, data: bytes, status: int, code: str
) -> None:
    address = begin(site, 100)
    send(site, address, b"0123456789", 0)
    response = send(site, address, data, offset, **changes)
    assert response.status_code == status
    assert response.get_json(force=True)["code"] == code
    assert offset_of(site, address) == 10
    assert part(site, address).read_bytes() == b"0123456789"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_piece_with_the_right_checksum_is_taken(site: Website, algorithm: str) -> None:
    address = begin(site, 100)
    digest = b64encode(hashlib.new(algorithm, b"0123456789").digest()).decode()
    assert send(site, address, b"0123456789", 0, Upload_Checksum=f"{algorithm} {digest}").status_code == 204
    assert offset_of(site, address) == 10


def test_terminated_upload_is_gone(site: Website) -> None:
    address = begin(site)
    send(site, address, MP4[:1000], 0)
    assert site.client.delete(address, headers=TUS).status_code == 204
    site.assert_nothing_left()
    assert_problem(site.client.get(address), 404, "not_found")
    for response in (
        site.client.head(address, headers=TUS),
        send(site, address, b"x", 1000),
        site.client.delete(address, headers=TUS),
    ):
        assert response.status_code == 404


def test_terminating_an_accepted_upload_keeps_the_video(site: Website) -> None:
    address = complete(site)
    video = shown(site, address)["video"]
    assert site.client.delete(address, headers=TUS).status_code == 204
    assert site.client.get(address).status_code == 404
    assert site.client.get(video["links"]["self"]).status_code == 200
    assert site.files() == [video["id"]]


def test_deleting_a_video_takes_its_upload_along(site: Website) -> None:
    address = complete(site)
    assert site.client.delete(shown(site, address)["video"]["links"]["self"]).status_code == 204
    assert site.client.get(address).status_code == 404
    site.assert_nothing_left()


def test_methods_can_be_overridden(site: Website) -> None:
    address = begin(site, 100)
    headers = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    response = site.client.post(address, data=b"abc", headers=headers | {"X-HTTP-Method-Override": "PATCH"})
    assert (response.status_code, offset_of(site, address)) == (204, 3)
    assert site.client.post(address, headers=headers).status_code == 405
    assert site.client.post(address, headers=TUS | {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    site.assert_nothing_left()


def test_page_of_another_site_can_do_nothing(site: Website) -> None:
    address = begin(site, 100)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert_problem(site.client.post(UPLOADS, headers=TUS | foreign | {"Upload-Length": "5"}), 403, "foreign_origin")
    assert send(site, address, b"x", 0, **foreign).status_code == 403
    assert site.client.delete(address, headers=TUS | foreign).status_code == 403
    assert offset_of(site, address) == 0


def test_client_is_told_until_when_it_can_go_on(site: Website) -> None:
    address = begin(site)
    for response in (site.client.head(address, headers=TUS), send(site, address, b"x", 0)):
        expires = parse_date(response.headers["Upload-Expires"])
        assert expires is not None
        left_s = (expires - videos.now()).total_seconds()
        assert left_s == pytest.approx(site.settings.upload_life_s, abs=300)
    assert "Upload-Expires" not in site.client.head(complete(site), headers=TUS).headers
