"""Faces and moments over HTTP: the API, its refusals, and the forms of the page."""

import re
from html import unescape
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from emotion_timeline.db import leases
from emotion_timeline.db.tables import Step, Tracklet, Video, VideoStatus
from tests.records import finish
from tests.website import HAPPY, NEUTRAL, Website, assert_problem, observations, text_of

FACES = "/api/v1/videos/v/faces"
# Three faces side by side; 1 is there all the time, 2 and 3 each for a part.
THREE = observations(
    {
        frame: [(0, HAPPY), *([(1, NEUTRAL)] if frame < 30 else []), *([(2, HAPPY)] if frame >= 34 else [])]
        for frame in range(0, 60)
    }
)
# One long face, and many that pass by.
CROWD = observations({frame: [(0, HAPPY), (1 + frame // 2, NEUTRAL)] for frame in range(60)})


def patch(site: Website, face_id: int, **wanted: Any) -> Any:
    return site.client.patch(f"{FACES}/{face_id}", json=wanted)


def listed(site: Website) -> dict[int, dict[str, Any]]:
    return {face["face_id"]: face for face in site.client.get(FACES).get_json()["faces"]}


def test_faces_are_listed_longest_on_screen_first(site: Website) -> None:
    site.done(THREE)
    body = site.client.get(FACES).get_json()
    assert [face["face_id"] for face in body["faces"]] == [1, 2, 3]
    face = body["faces"][1]
    assert face == face | {
        "name": None, "hidden": False, "merged": [], "frames": 30, "frames_classified": 30, "first_timestamp_s": 0.0,
        "last_timestamp_s": 2.9, "on_screen_s": 3.0, "best_frame": 0, "best_box": [210.0, 20.0, 50.0, 60.0],
        "picture": None, "links": {"self": f"{FACES}/2"},
    }  # fmt: skip
    assert face["emotion_frames"] == dict.fromkeys(body["emotions"], 0) | {"neutral": 30}
    assert face["emotion_shares"]["neutral"] == 1
    assert face["emotion_means"]["neutral"] == pytest.approx(0.7)


def test_the_page_says_whether_faces_are_persons(site: Website) -> None:
    site.done(THREE)
    page = text_of(site.client.get("/videos/v").text)
    assert "who leaves the picture and comes back is another one" in page and "Faces followed 3" in page
    assert site.client.get("/api/v1/videos/v").get_json()["persons_grouped"] is False
    with site.database.write() as session:
        looks = session.scalars(select(Tracklet)).all()
        for tracklet, look in zip(looks, np.eye(128, dtype="<f4")[[0, 1, 1]], strict=True):
            tracklet.embedding = look.tobytes()
        again = {"status": VideoStatus.RUNNING, "step": Step.FINISH, "due_at": leases.clock(session)}
        session.execute(update(Video).values(again))
    finish(site.database, "v")
    page = text_of(site.client.get("/videos/v").text)
    assert "Faces that look alike are one person, within this recording only" in page and "Persons found 2" in page
    assert site.client.get("/api/v1/videos/v").get_json()["persons_grouped"] is True
    assert [(face_id, face["frames"]) for face_id, face in listed(site).items()] == [(1, 60), (2, 56)]


def test_a_picture_is_named_when_it_was_made(site: Website) -> None:
    site.done(THREE)
    folder = site.settings.data_dir / "derived" / "v"
    for name in ("faces/1.jpg", "pictures/0.jpg"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"jpeg")
    assert [face["picture"] for face in listed(site).values()] == [f"{FACES}/1.jpg", None, None]
    pictures = {m["frame"]: m["picture"] for m in site.client.get("/api/v1/videos/v/moments").get_json()["moments"]}
    assert pictures[0] == "/api/v1/videos/v/pictures/0.jpg"
    page = site.client.get("/videos/v").text
    assert f'src="{FACES}/1.jpg"' in page and f'src="{FACES}/2.jpg"' not in page
    assert 'src="/api/v1/videos/v/pictures/0.jpg"' in page


def test_faces_are_named_merged_and_hidden_and_back(site: Website) -> None:
    site.done(THREE)
    before = listed(site)
    answer = patch(site, 1, name="  Participant 1\n")
    assert (answer.status_code, answer.get_json()["name"]) == (200, "Participant 1")
    answer = patch(site, 3, merged_into=1)
    assert answer.get_json() == listed(site)[1], "the card that the face is on then"
    assert (answer.get_json()["merged"], answer.get_json()["frames"]) == ([3], 60), "once a frame"
    assert patch(site, 2, hidden=True).get_json()["hidden"] is True
    assert list(listed(site)) == [1, 2]
    csv = site.client.get("/api/v1/videos/v/timeline.csv").text
    assert {line.split(",")[4] for line in csv.splitlines()[1:]} == {"1", "2"}
    sidecar = site.client.get("/api/v1/videos/v/timeline.json").get_json()
    assert [tuple(track.values())[:4] for track in sidecar["face_tracks"]] == [
        (1, "Participant 1", False, [3]), (2, None, True, []),
    ]  # fmt: skip
    assert patch(site, 3, merged_into=None).get_json()["face_id"] == 3
    patch(site, 2, hidden=False)
    assert patch(site, 1, name=" ").get_json()["name"] is None
    assert patch(site, 1).status_code == 200
    assert listed(site) == before


def test_several_changes_are_made_together_or_not_at_all(site: Website) -> None:
    site.done(THREE)
    patch(site, 3, merged_into=1)
    both = patch(site, 3, merged_into=None, name="Ben", hidden=True).get_json()
    assert (both["face_id"], both["name"], both["hidden"]) == (3, "Ben", True)
    assert_problem(patch(site, 3, merged_into=1, name="Anna"), 409, "conflict")
    assert listed(site)[3] == both


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"name": 5}, "bad_name"),
        ({"name": "a" * 101}, "bad_name"),
        ({"name": "a\nb"}, "bad_name"),
        ({"name": "\ud800"}, "bad_name"),
        ({"hidden": 1}, "bad_hidden"),
        ({"hidden": None}, "bad_hidden"),
        ({"merged_into": True}, "bad_merged_into"),
        ({"merged_into": "1"}, "bad_merged_into"),
        ({"merged_into": 2**31}, "bad_merged_into"),
        ({"merged_into": 0}, "bad_merged_into"),
        ({"frames": 1}, "unknown_field"),
        ([], "bad_body"),
        ("name", "bad_body"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(site: Website, wanted: Any, code: str) -> None:
    site.done(THREE)
    before = listed(site)
    assert_problem(site.client.patch(f"{FACES}/1", json=wanted), 400, code)
    assert listed(site) == before


def test_requests_that_are_no_json_too_large_or_foreign_are_refused(site: Website) -> None:
    site.done(THREE)
    assert_problem(site.client.patch(f"{FACES}/1", data='{"name": "A"}'), 400, "bad_body")
    for text in ("{", "[" * 60_000):
        assert_problem(site.client.patch(f"{FACES}/1", data=text, content_type="application/json"), 400, "bad_body")
    assert_problem(patch(site, 1, name="a" * 70_000), 413, "request_entity_too_large")
    foreign = site.client.patch(f"{FACES}/1", json={"name": "A"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert_problem(foreign, 403, "foreign_origin")
    assert listed(site)[1]["name"] is None


def test_faces_that_are_not_there_say_so(site: Website) -> None:
    site.done(THREE)
    site.queued("waiting")
    assert "no face 9" in assert_problem(patch(site, 9, name="A"), 404, "not_found")
    assert "no face 9" in assert_problem(patch(site, 1, merged_into=9), 404, "not_found")
    assert "into itself" in assert_problem(patch(site, 1, merged_into=1), 409, "conflict")
    for path in (f"{FACES}/{2**31}", f"{FACES}/0x1", f"{FACES}/-1"):
        assert_problem(site.client.patch(path, json={}), 404, "not_found")
    for path in ("faces", "moments"):
        assert_problem(site.client.get(f"/api/v1/videos/nobody/{path}"), 404, "not_found")
        assert_problem(site.client.get(f"/api/v1/videos/waiting/{path}"), 409, "conflict")
    assert_problem(site.client.patch("/api/v1/videos/waiting/faces/1", json={}), 409, "conflict")


def test_moments_are_those_of_faces_that_are_shown(site: Website) -> None:
    site.done(THREE)
    found = site.client.get("/api/v1/videos/v/moments").get_json()["moments"]
    assert [(m["emotion"], m["face_id"], m["frame"]) for m in found] == [
        ("happy", 1, 0), ("happy", 3, 34), ("neutral", 2, 0),
    ]  # fmt: skip
    assert found[1] == found[1] | {"timestamp_s": 3.4, "probability": 0.6, "picture": None}
    assert found[1]["box"] == [410.0, 20.0, 50.0, 60.0]
    patch(site, 1, hidden=True)
    found = site.client.get("/api/v1/videos/v/moments").get_json()["moments"]
    assert [(m["emotion"], m["face_id"]) for m in found] == [("happy", 3), ("neutral", 2)]


def test_the_page_shows_cards_and_moments_and_the_fragments_are_the_same(site: Website) -> None:
    site.done(THREE)
    patch(site, 1, name='<b>"Anna"</b>')
    patch(site, 3, merged_into=1)
    patch(site, 2, hidden=True)
    page = site.client.get("/videos/v").text
    assert "<b>&#34;Anna" not in page and '<b>"Anna' not in page
    read = text_of(page)
    for words in (
        '<b>"Anna"</b> face 1', "5.9 s on screen, from 0:00.0 to 0:05.9", "happy 100 %", "with face 3",
        "Split off again", "1 hidden face", "Show again", "0:00.0",
    ):  # fmt: skip
        assert words in read
    for fragment in ("faces", "moments"):
        assert text_of(site.client.get(f"/videos/v/{fragment}").text) in read


def test_a_recording_without_faces_has_neither_cards_nor_moments(site: Website) -> None:
    site.done(observations({frame: [] for frame in range(5)}))
    page = site.client.get("/videos/v").text
    assert 'id="faces"' not in page and 'id="moments"' not in page
    assert site.client.get(FACES).get_json()["faces"] == []
    assert site.client.get("/api/v1/videos/v/moments").get_json()["moments"] == []


def test_many_short_appearances_are_folded_away(site: Website) -> None:
    site.done(CROWD)
    page = site.client.get("/videos/v").text
    assert "30 short appearances" in text_of(page)
    assert page.index('id="face-1"') < page.index('id="short-faces"') < page.index('id="face-2"')
    assert '<datalist id="face-choices">' in page, "a list of thirty is searched by typing"
    assert len(page) < 200_000
    patch(site, 5, name="Waiter")
    page = site.client.get("/videos/v").text
    assert "29 short appearances" in text_of(page)
    assert page.index('id="face-5"') < page.index('id="short-faces"'), "somebody cares for it"


def forms(page: str) -> list[tuple[str, str]]:
    """Action and content of every form for a face."""
    return re.findall(r'<form[^>]*action="(/videos/v/faces/\d+)" method="post">(.*?)</form>', page, re.DOTALL)


def test_the_forms_do_what_they_say(site: Website) -> None:
    """What a browser without JavaScript sends, read from the forms themselves."""
    site.done(THREE)
    before = listed(site)

    def send(face_id: int, field: str, value: str | None = None) -> None:
        for action, content in forms(site.client.get("/videos/v").text):
            named = re.search(rf'name="{field}"(?: value="([^"]*)")?', content)
            if action == f"/videos/v/faces/{face_id}" and named:
                answer = site.client.post(action, data={field: named[1] if value is None else value})
                assert answer.status_code == 303
                assert answer.headers["Location"].startswith("/videos/v#face-")
                return
        raise AssertionError(f"face {face_id} has no form with {field}")

    send(1, "name", "Anna")
    send(3, "merged_into", "1")
    send(2, "hidden")
    assert {n: (f["name"], f["merged"], f["hidden"]) for n, f in listed(site).items()} == {
        1: ("Anna", [3], False), 2: (None, [], True),
    }  # fmt: skip
    send(1, "name", "")
    send(3, "merged_into")
    send(2, "hidden")
    assert listed(site) == before


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"merged_into": "1"}, 409, "into itself"),
        ({"merged_into": "x"}, 400, "the number of another face"),
        ({"merged_into": "9" * 5000}, 400, "the number of another face"),
        ({"hidden": "maybe"}, 400, "true or false"),
        ({"name": "a" * 101}, 400, "at most 100 characters"),
        ({"colour": "red"}, 400, "no 'colour'"),
    ],
)
def test_a_form_that_is_refused_says_why_on_a_page(
    site: Website, fields: dict[str, str], status: int, words: str
) -> None:
    site.done(THREE)
    answer = site.client.post("/videos/v/faces/1", data=fields)
    assert answer.status_code == status
    assert answer.content_type.startswith("text/html")
    assert words in unescape(answer.text)
