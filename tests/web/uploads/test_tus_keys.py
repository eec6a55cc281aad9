"""Announcing a resumable upload under an Idempotency-Key: a client that lost the answer finds its upload again."""

import os
import threading
from pathlib import Path
from typing import Any

from tests.tus import MP4, TUS, UPLOADS, metadata, offset_of, part, send, shown
from tests.website import Website, assert_problem


def announce(site: Website, key: str, size: int = len(MP4), data: bytes = b"", **changes: Any) -> Any:
    """POST an upload under a key; with data, these are its first bytes. `changes` are keywords of the client."""
    headers = TUS | {
        "Upload-Length": str(size),
        "Upload-Metadata": metadata(filename="clip.mp4"),
        "Idempotency-Key": key,
    }
    headers |= {"Content-Type": "application/offset+octet-stream"} if data else {}
    headers |= changes.pop("headers", {})
    return site.client.post(UPLOADS, data=data, headers=headers, **changes)


def test_repeated_creation_makes_one_upload_and_tells_how_far_it_is(site: Website) -> None:
    first = announce(site, "one")
    address = first.headers["Location"]
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    send(site, address, MP4[:1000], 0)
    again = announce(site, "one")
    assert (again.status_code, again.headers["Location"], again.headers["Upload-Offset"]) == (201, address, "1000")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Upload-Expires"] == site.client.head(address, headers=TUS).headers["Upload-Expires"]
    assert site.files() == [part(site, address).name]
    assert send(site, address, MP4[1000:], 1000).status_code == 204
    over = announce(site, "one")
    assert (over.status_code, over.headers["Upload-Offset"]) == (201, str(len(MP4)))
    assert shown(site, over.headers["Location"])["status"] == "accepted"
    assert announce(site, "two").headers["Location"] != address


def test_key_is_for_one_announcement(site: Website) -> None:
    announce(site, "one")
    assert_problem(announce(site, "one", len(MP4) + 1), 422, "key_reused")
    other = {"Upload-Metadata": metadata(filename="clip.mp4", sample_hz="5")}
    assert_problem(announce(site, "one", headers=other), 422, "key_reused")
    site.client.post("/api/v1/webhooks", json={"url": "https://example.org"}, headers={"Idempotency-Key": "webhook"})
    assert_problem(announce(site, "webhook"), 422, "key_reused")
    assert_problem(announce(site, "x" * 256), 400, "bad_idempotency_key")
    assert_problem(announce(site, ""), 400, "bad_idempotency_key")
    assert len(site.files()) == 1


def test_key_of_an_upload_that_was_given_up_makes_no_other(site: Website) -> None:
    site.client.delete(announce(site, "one").headers["Location"], headers=TUS)
    assert_problem(announce(site, "one"), 404, "not_found")
    site.assert_nothing_left()


def test_first_bytes_that_were_cut_off_are_found_again(site: Website) -> None:
    cut = announce(site, "one", data=MP4[:1000], environ_overrides={"CONTENT_LENGTH": str(len(MP4))})
    assert_problem(cut, 400, "incomplete")
    again = announce(site, "one", data=MP4)
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "1000")
    address = again.headers["Location"]
    assert part(site, address).read_bytes() == MP4[:1000]
    assert send(site, address, MP4[offset_of(site, address) :], 1000).status_code == 204
    assert site.settings.recording(shown(site, address)["video"]["id"]).read_bytes() == MP4


def test_first_bytes_that_were_refused_are_refused_again(site: Website) -> None:
    sentence = assert_problem(announce(site, "one", 4, b"text"), 422, "not_a_video")
    assert assert_problem(announce(site, "one", 4, b"text"), 422, "not_a_video") == sentence
    site.assert_nothing_left()


def test_repetition_needs_no_further_space(site: Website, tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    narrow = Website(tmp_path, min_free_bytes=free // 2, max_upload_bytes=free)
    first = announce(narrow, "one", free // 3)
    assert_problem(announce(narrow, "two", free // 3), 507, "no_space")
    assert announce(narrow, "one", free // 3).headers["Location"] == first.headers["Location"]
    narrow.database.close()


def test_repetitions_at_the_same_time_make_one_upload(site: Website) -> None:
    together, answers = threading.Barrier(6), []

    def ask() -> None:
        together.wait(60)
        answers.append(announce(site, "one"))

    threads = [threading.Thread(target=ask) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert len(site.files()) == 1


def test_key_is_described(site: Website) -> None:
    described = site.client.get("/api/v1/openapi.json").get_json()["paths"][UPLOADS]["post"]
    assert "Idempotency-Key" in [parameter["name"] for parameter in described["parameters"]]
    assert "Idempotency-Key" in described["description"]
    assert "404" in described["responses"]
