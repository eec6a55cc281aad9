"""The HTTP API for webhooks, entity tags, and keys that make a repeated request harmless."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.services import ASTRONAUT
from tests.website import Website, assert_problem

URL = "https://example.org/told"


def create(site: Website, url: Any = URL, **headers: str) -> Any:
    return site.client.post("/api/v1/webhooks", json={"url": url}, headers=headers)


def test_a_webhook_is_made_listed_and_deleted_and_its_secret_told_once(site: Website) -> None:
    response = create(site)
    assert response.status_code == 201
    made = response.get_json()
    assert made["secret"].startswith("whsec_")
    assert response.headers["Location"] == made["links"]["self"]
    shown = site.client.get(made["links"]["self"]).get_json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert site.client.get("/api/v1/webhooks").get_json() == {"webhooks": [shown]}
    assert site.client.delete(made["links"]["self"]).status_code == 204
    assert_problem(site.client.get(made["links"]["self"]), 404, "not_found")
    assert site.client.get("/api/v1/webhooks").get_json() == {"webhooks": []}


@pytest.mark.parametrize(
    "url",
    ["", "talk", "ftp://example.org", "https://", "http://a b", "https://me:you@example.org", "http://h:x", 7, None],
)
def test_what_is_no_address_is_refused(site: Website, url: Any) -> None:
    assert "url" in assert_problem(create(site, url), 400, "bad_body")


PRIVATE = [
    "http://127.0.0.1:9/",
    "http://localhost/",
    "https://[::1]/",
    "http://2130706433/",
    "http://192.168.1.7/told",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_private_address_is_refused_at_once_unless_that_is_allowed(tmp_path: Path, url: str) -> None:
    for allowed in (False, True):
        site = Website(tmp_path / str(allowed), webhook_private_addresses=allowed)
        if allowed:
            assert create(site, url).status_code == 201
        else:
            sentence = assert_problem(create(site, url), 400, "private_address")
            assert "TIMELINE_WEBHOOK_PRIVATE_ADDRESSES" in sentence
            assert site.client.get("/api/v1/webhooks").get_json() == {"webhooks": []}
        site.database.close()


def test_bodies_that_are_not_json_are_refused(site: Website) -> None:
    assert_problem(site.client.post("/api/v1/webhooks", data="url"), 415, "not_json")
    broken = site.client.post("/api/v1/webhooks", data="{", content_type="application/json")
    assert_problem(broken, 400, "bad_json")
    assert_problem(site.client.post("/api/v1/webhooks", json={"url": URL, "secret": "x"}), 400, "bad_body")
    assert_problem(site.client.post("/api/v1/webhooks", json=[]), 400, "bad_body")


def test_a_ping_is_logged_and_can_be_sent_again_only_when_it_is_over(site: Website) -> None:
    made = create(site).get_json()
    pinged = site.client.post(f"{made['links']['self']}/ping")
    assert pinged.status_code == 202
    logged = site.client.get(made["links"]["deliveries"]).get_json()
    assert logged == {"deliveries": [pinged.get_json()], "limit": 50, "offset": 0}
    (entry,) = logged["deliveries"]
    assert (entry["event"], entry["status"], entry["attempts"]) == ("ping", "pending", 0)
    again = f"{made['links']['deliveries']}/{entry['id']}/retry"
    assert_problem(site.client.post(again), 409, "conflict")
    assert_problem(site.client.post(f"{made['links']['deliveries']}/nothing/retry"), 404, "not_found")
    assert_problem(site.client.get("/api/v1/webhooks/nothing/deliveries"), 404, "not_found")


def test_a_repeated_request_makes_one_webhook(site: Website) -> None:
    first = create(site, **{"Idempotency-Key": "one"})
    again = create(site, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert create(site, **{"Idempotency-Key": "two"}).get_json()["id"] != first.get_json()["id"]
    assert len(site.client.get("/api/v1/webhooks").get_json()["webhooks"]) == 2


def test_a_key_is_for_one_request(site: Website) -> None:
    create(site, **{"Idempotency-Key": "one"})
    assert_problem(create(site, "https://example.org/other", **{"Idempotency-Key": "one"}), 422, "key_reused")
    assert_problem(create(site, **{"Idempotency-Key": "x" * 256}), 400, "bad_idempotency_key")
    assert_problem(create(site, **{"Idempotency-Key": ""}), 400, "bad_idempotency_key")


@pytest.mark.parametrize("path", ["/api/v1/videos/v", "/api/v1/videos", "/videos/v/progress", "/"])
def test_who_polls_is_told_when_nothing_changed(site: Website, path: str) -> None:
    site.queued("v")
    first = site.client.get(path)
    tag = first.headers["ETag"]
    assert first.status_code == 200 and first.headers["Cache-Control"] == "no-cache"
    same = site.client.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.get_data()) == (304, b"")
    assert same.headers["X-Content-Type-Options"] == "nosniff"
    site.client.post("/api/v1/videos/v/cancel")
    changed = site.client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


@pytest.mark.slow
def test_a_repeated_upload_is_answered_like_the_first(site: Website) -> None:
    file = (ASTRONAUT.read_bytes(), "clip.mp4")
    upload = partial(site.post, "/api/v1/videos")
    first = upload({"file": file}, headers={"Idempotency-Key": "one"})
    again = upload({"file": file}, headers={"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json() == first.get_json()
    assert upload({"file": file}, headers={"Idempotency-Key": "two"}).status_code == 200
    assert upload({"file": file}, headers={"Idempotency-Key": "two"}).status_code == 200
    other = upload({"file": file, "sample_hz": "5"}, headers={"Idempotency-Key": "one"})
    assert_problem(other, 422, "key_reused")
    assert site.files() == [first.get_json()["id"]]
    site.client.delete(first.headers["Location"])
    assert_problem(upload({"file": file}, headers={"Idempotency-Key": "one"}), 404, "not_found")
    site.assert_nothing_left()
