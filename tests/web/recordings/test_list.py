"""The list on the start page and in the API: searched, sorted, paged, and what its rows show."""

import re
from html import unescape
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Status
from tests.website import HAPPY, INFO, NEUTRAL, TWO_FACES, Website, assert_problem, observations, text_of
from web.http.sentences import shares_sentence
from web.recordings.strip_drawing import strip_paths


def listed(site: Website, query: str) -> list[str]:
    """Names on a page of the list."""
    html = site.client.get(f"/?{query}").text
    return [unescape(name) for name in re.findall(r'class="name" href="[^"]*">([^<]*)</a>', html)]


def named(site: Website, query: str) -> list[str]:
    """Names that the API lists."""
    answer = site.client.get(f"/api/v1/videos?{query}")
    assert answer.status_code == 200
    return [video["filename"] for video in answer.get_json()["videos"]]


def test_search_and_filters_are_the_same_on_the_page_and_in_the_api(states: Website) -> None:
    for query, api, names in (
        ("", "", ["cancelled.mp4", "waiting.mp4", "failed.mp4", "done.mp4"]),
        ("q=ED.mp", "q=ED.mp", ["cancelled.mp4", "failed.mp4"]),
        ("q=e%25", "q=e%25", []),
        ("state=failed", "status=failed", ["failed.mp4"]),
        ("q=ed&state=failed", "q=ed&status=failed", ["failed.mp4"]),
        ("sort=oldest", "sort=oldest", ["done.mp4", "failed.mp4", "waiting.mp4", "cancelled.mp4"]),
        ("sort=name", "sort=name", ["cancelled.mp4", "done.mp4", "failed.mp4", "waiting.mp4"]),
        ("sort=state", "sort=state", ["waiting.mp4", "failed.mp4", "done.mp4", "cancelled.mp4"]),
    ):
        assert listed(states, query) == names
        assert named(states, api) == names


def test_percent_and_underscore_are_searched_as_they_are(site: Website) -> None:
    for number, name in enumerate(("100%.mp4", "1000.mp4", "a_b.mp4", "aab.mp4", "back\\slash.mp4", "a/b.mp4")):
        site.queued(f"v{number}", filename=name)
    for text, name in (("0%25", "100%.mp4"), ("a_b", "a_b.mp4"), ("k%5Cs", "back\\slash.mp4"), ("a/b", "a/b.mp4")):
        assert listed(site, f"q={text}") == [name]


def test_longest_first(site: Website) -> None:
    for number, length in enumerate((5.0, 600.0, 60.0)):
        site.queued(f"v{number}", filename=f"{length:.0f}.mp4", info=INFO | {"duration_s": length})
    assert listed(site, "sort=length") == named(site, "sort=length") == ["600.mp4", "60.mp4", "5.mp4"]


@pytest.mark.parametrize(
    ("clip", "shown"),
    [
        ({"clip_start_s": 10.0, "clip_end_s": 130.0}, "0:10\u20132:10 of 3:00:00"),
        ({"clip_end_s": 90.25}, "0:00\u20131:30.25 of 3:00:00"),
        ({"clip_start_s": 3600.0}, "1:00:00\u20133:00:00 of 3:00:00"),
        ({"clip_start_s": 60.0, "clip_end_s": 20_000.0}, "1:00\u20133:00:00 of 3:00:00"),
    ],
)
def test_list_and_page_say_which_part_is_analysed(site: Website, clip: dict[str, Any], shown: str) -> None:
    info = INFO | {"duration_s": 10_800.0}
    site.queued("v", info=info, **clip)
    site.queued("whole", info=info)
    assert f"{shown} \u00b7" in site.client.get("/").text
    assert f'<span class="facts" id="clip">{shown}</span>' in site.client.get("/videos/v").text
    assert site.client.get("/").text.count(" of 3:00:00") == 1
    assert 'id="clip"' not in site.client.get("/videos/whole").text


def test_pages_keep_the_search(site: Website) -> None:
    for number in range(60):
        site.queued(f"v{number:02d}", filename=f"{'odd' if number % 2 else 'even'} & {number:02d}.mp4")
    html = unescape(site.client.get("/?q=ODD+%26&sort=oldest&page=1&state=queued").text)
    assert "30 videos found" in text_of(html)
    assert 'href="/?q=ODD+%26&state=queued&sort=oldest&page=2"' in html
    assert 'value="ODD &"' in html
    assert re.search(r'<option value="queued" selected', html)
    assert listed(site, "q=ODD+%26&sort=oldest&page=2&state=queued") == [f"odd & {n}.mp4" for n in range(51, 60, 2)]
    fragment = unescape(site.client.get("/videos?q=ODD+%26&sort=oldest&page=2&state=queued").text)
    assert 'rel="prev" href="/?q=ODD+%26&state=queued&sort=oldest"' in fragment


def test_api_pages_count_what_is_found(site: Website) -> None:
    for number in range(7):
        site.queued(f"v{number}", filename=f"{'ab'[number % 2]}{number}.mp4")
    answer = site.client.get("/api/v1/videos?q=A&sort=oldest&limit=2&offset=2").get_json()
    assert [video["filename"] for video in answer["videos"]] == ["a4.mp4", "a6.mp4"]
    assert (answer["total"], answer["limit"], answer["offset"]) == (4, 2, 2)


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("status=bogus", "bad_status", "one of queued, running, done, failed, cancelled, but is 'bogus'"),
        ("status=", "bad_status", "but is ''"),
        ("sort=size", "bad_sort", "one of newest, oldest, name, length, state, but is 'size'"),
        ("q=a%00b", "bad_q", "printable"),
        ("q=" + "x" * 256, "bad_q", "up to 255"),
        ("limit=0", "bad_limit", "from 1 to 200"),
    ],
)
def test_api_refuses_what_it_cannot_use(site: Website, query: str, code: str, words: str) -> None:
    assert words in assert_problem(site.client.get(f"/api/v1/videos?{query}"), 400, code)


def test_page_passes_over_what_it_cannot_use(site: Website) -> None:
    site.queued()
    for query in (
        "state=bogus",
        "sort=size",
        "q=a%00b",
        "q=" + "x" * 300,
        "did=nonsense",
        "did=cancel&done=x",
        "page=%00",
    ):
        assert listed(site, query) == ["clip.mp4"]


def test_empty_list_nothing_found_and_a_page_too_far_are_told_apart(site: Website) -> None:
    assert "No videos yet" in site.client.get("/").text
    assert re.search(r'<form id="find"[^>]* hidden', site.client.get("/").text)
    nothing = unescape(site.client.get("/?q=<b>&sort=name").text)
    assert "Nothing found" in nothing
    assert '<a id="clear" data-stay href="/?sort=name">' in nothing
    assert "No video has “<b>” in its name." in text_of(nothing.replace("<b>", "&lt;b&gt;"))
    site.queued()
    assert "No video in this state is there." in text_of(site.client.get("/?state=failed").text)
    beyond = site.client.get("/?q=clip&page=5").text
    assert "There is no such page" in beyond
    assert 'href="/?q=clip"' in beyond


def test_an_unchanged_list_is_not_sent_again(site: Website) -> None:
    site.queued()
    first = site.client.get("/videos")
    assert site.client.get("/videos", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    site.queued("w", filename="new.mp4")
    assert site.client.get("/videos", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_done_rows_have_a_strip_in_colours_and_in_words(site: Website) -> None:
    rows = observations({frame: [(0, HAPPY if frame < 5 else NEUTRAL)] for frame in range(20)})
    rows["status"][15:] = Status.NO_FACE
    rows["probabilities"][15:] = np.nan
    site.done(rows)
    assert site.client.get("/api/v1/videos/v").get_json()["strip"] == "3" * 5 + "6" * 10 + "-" * 5
    html = site.client.get("/").text
    assert '<path class="happy" d="M0 0h5v10h-5z"></path><path class="neutral" d="M5 5h10v5h-10z"></path>' in html
    assert "Mostly neutral 67\u00a0%, happy 33\u00a0%; no face in 25\u00a0% of frames" in html
    assert text_of(html).count("not readable") == 1, "one legend for all"


def told(emotions: dict[str, int], **statuses: int) -> str:
    return shares_sentence(SimpleNamespace(emotion_frames=emotions, frames_by_status=statuses))


def test_a_row_tells_shares_of_classified_frames_and_how_many_frames_have_none() -> None:
    space = "\u00a0"
    assert told({"neutral": 62, "happy": 30, "sad": 8}, ok=92, no_face=8) == (
        f"mostly neutral 62{space}%, happy 30{space}%, sad 8{space}%; no face in 8{space}% of frames"
    )
    assert told({"happy": 3}, ok=3) == f"happy 100{space}%"
    assert told({"neutral": 97, "happy": 3}, ok=100) == f"mostly neutral 97{space}%"
    assert told(dict.fromkeys(EMOTIONS, 2), ok=14) == f"angry 14{space}%, disgust 14{space}%, fear 14{space}%"
    assert told(dict.fromkeys(EMOTIONS, 0), decode_error=10) == f"not readable in 100{space}% of frames"
    assert told(dict.fromkeys(EMOTIONS, 0), too_small=1, no_face=1) == (
        f"face too small in 50{space}%, no face in 50{space}% of frames"
    )


def test_a_row_counts_faces_as_they_are_shown(site: Website) -> None:
    site.done(TWO_FACES)
    assert "2 faces" in text_of(site.client.get("/").text)
    site.client.patch("/api/v1/videos/v/faces/2", json={"merged_into": 1})
    assert "1 face" in text_of(site.client.get("/").text)
    body = site.client.get("/api/v1/videos/v").get_json()
    assert (body["faces"], body["faces_shown"]) == (2, 1)
    site.client.patch("/api/v1/videos/v/faces/1", json={"hidden": True})
    assert "no face" in text_of(site.client.get("/").text)
    site.client.patch("/api/v1/videos/v/faces/1", json={"hidden": False})
    site.client.patch("/api/v1/videos/v/faces/2", json={"merged_into": None})
    assert site.client.get("/api/v1/videos/v").get_json()["faces_shown"] == 2


def test_strip_as_paths_covers_every_stretch_once() -> None:
    strip = "3366x--3"
    columns: dict[int, str] = {}
    for kind, path in strip_paths(strip):
        for start, width in re.findall(r"M(\d+) \d+h(\d+)", path):
            for column in range(int(start), int(start) + int(width)):
                assert column not in columns
                columns[column] = kind
    assert [columns[column] for column in range(len(strip))] == [
        "happy", "happy", "neutral", "neutral", "unreadable", "absent", "absent", "happy",
    ]  # fmt: skip


def test_every_row_offers_what_fits_its_state(states: Website) -> None:
    html = states.client.get("/").text
    for video_id, offered in (("d", []), ("f", ["retry"]), ("q", ["cancel"]), ("c", ["retry"])):
        row = re.search(rf'<li id="row-{video_id}".*?</li>', html, re.DOTALL)
        assert row is not None
        assert re.findall(r'data-does="(\w+)"', row[0]) == [*offered, "delete"]
        assert ("timeline.csv" in row[0]) == (video_id == "d")
        assert "<img" not in row[0], "no picture is known to exist"


def test_a_thumbnail_is_shown_when_there_is_one(site: Website) -> None:
    assert site.client.get(f"/api/v1/videos/{site.queued()}").get_json()["links"]["thumbnail"] is None
