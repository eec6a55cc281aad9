"""Recordings that lie on their side: people are warned, and can have them turned, before and after."""

import re
from base64 import b64encode
from typing import Any

import pytest

from emotion_timeline.db import videos
from tests.services import ASTRONAUT
from tests.website import SAME_RECORDING, TWO_FACES, Website, assert_problem, text_of


def announce(site: Website, rotate: str) -> Any:
    metadata = f"filename {b64encode(b'a').decode()},rotate {b64encode(rotate.encode()).decode()}"
    content = ASTRONAUT.read_bytes()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    return site.client.post(
        "/api/v1/uploads", headers=headers, data=content, content_type="application/offset+octet-stream"
    )


def lying(site: Website, video_id: str = "v", **changes: Any) -> None:
    """A video that is done, whose faces stand upright when it is turned clockwise by a quarter."""
    turned = TWO_FACES.copy()
    turned["turn"] = 1
    site.done(turned, video_id, **SAME_RECORDING | changes)


def test_upload_asks_for_a_turn_and_is_another_work(site: Website) -> None:
    plain, turned = site.upload().get_json(), site.upload(rotate="90").get_json()
    assert (plain["rotate"], turned["rotate"]) == (0, 90)
    assert plain["id"] != turned["id"] and turned["analyses"][0]["rotate"] == 0
    assert site.upload(rotate="90").get_json()["id"] == turned["id"]
    assert site.upload(rotate="0").get_json()["id"] == plain["id"]


def test_upload_in_pieces_asks_for_a_turn(site: Website) -> None:
    video = site.client.get(announce(site, "270").headers["Location"]).get_json()["video"]
    assert site.client.get(video["links"]["self"]).get_json()["rotate"] == 270


@pytest.mark.parametrize("rotate", ["45", "-90", "left", "90.0"])
def test_other_turns_are_refused(site: Website, rotate: str) -> None:
    for response in (site.upload(rotate=rotate), announce(site, rotate)):
        sentence = assert_problem(response, 400, "bad_rotate")
        assert f"one of 0, 90, 180, 270, but is {rotate!r}" in sentence
    site.assert_nothing_left()


def test_faces_that_stand_turned_are_warned_of_everywhere(site: Website) -> None:
    lying(site)
    body = site.client.get("/api/v1/videos/v").get_json()
    (warning,) = body["warnings"]
    assert "turned by 90 degrees clockwise" in warning and body["suggested_rotate"] == 90
    assert site.client.get("/api/v1/videos/v/timeline.json").get_json()["warnings"] == [warning]
    page = site.client.get("/videos/v").text
    assert warning in text_of(page)
    assert re.findall(r'<option value="(\d+)"( selected)?>', page.partition('id="rotate-by"')[2])[:3] == [
        ("90", " selected"), ("180", ""), ("270", ""),
    ]  # fmt: skip


def test_upright_faces_are_not_warned_of(site: Website) -> None:
    site.done(TWO_FACES)
    body = site.client.get("/api/v1/videos/v").get_json()
    assert (body["warnings"], body["suggested_rotate"]) == ([], None)


def test_a_video_is_turned_afterwards(site: Website) -> None:
    lying(site)
    made = site.post("/videos/v/reanalyze", {"rotate": "90"})
    assert made.status_code == 303
    page = text_of(site.client.get(made.headers["Location"]).text)
    assert "every frame, turned by 90°" in page.lower()
    answer = site.client.post("/api/v1/videos/v/reanalyze", json={"rotate": 90})
    assert (answer.status_code, answer.get_json()["rotate"]) == (200, 90)
    assert site.client.post("/api/v1/videos/v/reanalyze", json={"rotate": 180}).get_json()["rotate"] == 180
    assert_problem(site.client.post("/api/v1/videos/v/reanalyze", json={"rotate": 45}), 400, "bad_rotate")


def test_what_was_turned_is_turned_on_from_there(site: Website) -> None:
    lying(site, rotate=270)
    assert site.client.get("/api/v1/videos/v").get_json()["suggested_rotate"] == 0
    assert site.client.post("/api/v1/videos/v/reanalyze").get_json()["rotate"] == 270, (
        "unless it is asked for otherwise"
    )
    with site.database.read() as session:
        assert videos.get(session, "v").rotate == 270
