"""The pages: what a person without JavaScript sees and can do."""

import re
from html import unescape

import pytest

from emotion_timeline.db import videos, work
from emotion_timeline.emotions import EMOTIONS
from tests.services import ASTRONAUT
from tests.website import TWO_FACES, Website, observations, text_of


def test_empty_list_says_what_to_do(site: Website) -> None:
    page = site.client.get("/").text
    assert "No videos yet" in page
    assert re.search(r'<form[^>]+action="/videos" method="post" enctype="multipart/form-data"', page)
    assert '<label for="file">' in page


def test_form_uploads_and_shows_the_video(site: Website) -> None:
    response = site.post("/videos", {"file": (ASTRONAUT.read_bytes(), "clip.mp4"), "sample_hz": ""})
    assert response.status_code == 303
    page = site.client.get(response.headers["Location"]).text
    assert "1st in the queue" in page
    again = site.post("/videos", {"file": (ASTRONAUT.read_bytes(), "clip.mp4")})
    assert again.headers["Location"] == response.headers["Location"] + "?again=1"
    assert "uploaded before" in site.client.get(again.headers["Location"]).text


def test_refused_form_says_why_beside_the_form(site: Website) -> None:
    response = site.post("/videos", {"file": (b"", "<b>.mp4")})
    assert response.status_code == 400
    assert response.content_type.startswith("text/html")
    assert "The file is empty." in response.text
    assert "<form" in response.text
    site.assert_nothing_left()


def test_player_plays_the_preview_where_pictures_change_their_size(site: Website) -> None:
    """Browsers show such a recording in their own ways, and the boxes would stand beside the faces."""
    changing = TWO_FACES.copy()
    changing["picture"] = (640, 360)
    site.done(changing, "same")
    changing["picture"][2:] = (320, 180)
    site.done(changing, "changing")
    pages = {video_id: site.client.get(f"/videos/{video_id}").text for video_id in ("same", "changing")}
    assert 'data-plays="as it is"' in pages["same"]
    assert 'data-plays="by its preview"' in pages["changing"]
    assert "360, in 2 sizes, brought to this one" in text_of(pages["changing"])
    with site.database.read() as session:
        assert videos.get(session, "changing").info["picture_sizes"] == [[320, 180], [640, 360]]


def test_list_shows_every_state(site: Website) -> None:
    site.done(TWO_FACES, "a", filename="done.mp4")
    site.failed("b", filename="failed.mp4")
    site.queued("c", filename="waiting.mp4")
    segment_id = site.planned(site.queued("d", filename="running.mp4"), range(20))
    with site.database.write() as session:
        claimed = work.claim_segment(session, segment_id, 60, 3)
        assert claimed is not None
        work.renew(session, claimed[0], 60, frames_done=5)
    with site.database.write() as session:
        videos.cancel(session, site.queued("e", filename="cancelled.mp4"))
    page = site.client.get("/").text
    read = text_of(page)
    for words in (
        "done.mp4", "4 frames · 2 faces", "failed.mp4", "It stopped <the> process 3 times.", "waiting.mp4",
        "1st in the queue", "running.mp4", "25 %", "left", "cancelled.mp4", "Cancelled",
    ):  # fmt: skip
        assert words in read
    assert '<progress max="20" value="5"' in page
    assert '<meta http-equiv="refresh"' in page  # for readers without JavaScript
    assert page.count("/timeline.csv") == 1
    fragment = text_of(site.client.get("/videos").text)  # keeps the list fresh
    left = re.compile(r"about .{1,12} left")  # may have changed since
    assert left.sub("", fragment) in left.sub("", read)


def test_what_can_be_focused_in_a_renewed_part_has_an_id(site: Website) -> None:
    """The focus is found again by it when the part is renewed."""
    for number in range(26):
        site.done(TWO_FACES, f"v{number}")
    for page in (1, 2):
        tags = re.findall(r"<(?:a|button|input|select)\s[^>]*>", site.client.get(f"/videos?page={page}").text)
        assert tags
        assert all(" id=" in tag for tag in tags)


def test_list_has_pages(site: Website) -> None:
    for number in range(26):
        site.queued(f"v{number:02d}", filename=f"clip {number:02d}.mp4")
    first, second = site.client.get("/").text, site.client.get("/?page=2").text
    assert "clip 25.mp4" in first
    assert "clip 00.mp4" not in first
    assert "Page 1 of 2" in first
    assert "clip 00.mp4" in second
    for page in ("0", "-1", "x", "9" * 40):
        assert site.client.get(f"/?page={page}").status_code == 200


def test_page_of_a_done_video(site: Website) -> None:
    site.done(TWO_FACES, filename="session 7.mov")
    page = site.client.get("/videos/v").text
    for link in ("/api/v1/videos/v/timeline.csv", "/api/v1/videos/v/timeline.json"):
        assert f'href="{link}"' in page
    assert 'data-url="/api/v1/videos/v/chart.json"' in page
    read = text_of(page)
    for words in (
        "session 7.mov", "With a face 3 75.0 %", "No face 1 25.0 %", "640 \u00d7 360", "10 per second, constant",
        "h264 in mov", "paper-1", "every frame", "can't tell what the person feels", *EMOTIONS,
    ):  # fmt: skip
        assert words in read
    assert "http-equiv" not in page


def test_page_of_a_video_without_faces_has_no_chart(site: Website) -> None:
    site.done(observations({frame: [] for frame in range(5)}))
    page = site.client.get("/videos/v").text
    assert "No face was found" in page
    assert 'id="chart"' not in page


def test_page_of_a_running_video_is_renewed_without_javascript(site: Website) -> None:
    site.planned(site.queued(), range(20))
    page = site.client.get("/videos/v").text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "0 of 20" in text_of(page)
    assert 'action="/videos/v/cancel" method="post"' in page
    fragment = site.client.get("/videos/v/progress").text
    assert 'data-status="running"' in fragment
    assert text_of(fragment) in text_of(page)


def test_buttons_do_what_they_say(site: Website) -> None:
    site.queued()
    assert site.client.post("/videos/v/cancel").headers["Location"] == "/videos/v"
    page = site.client.get("/videos/v").text
    assert "The analysis was cancelled" in page
    assert 'action="/videos/v/retry" method="post"' in page
    assert site.client.post("/videos/v/retry").headers["Location"] == "/videos/v"
    assert "1st in the queue" in site.client.get("/videos/v").text
    assert "can't be undone" in unescape(site.client.get("/videos/v").text)  # asked before it is done
    assert site.client.post("/videos/v/delete").headers["Location"] == "/"
    site.assert_nothing_left()


def test_failed_video_shows_its_sentence_and_a_way_on(site: Website) -> None:
    page = site.client.get(f"/videos/{site.failed()}").text
    assert "It stopped &lt;the&gt; process 3 times." in page
    assert 'action="/videos/v/retry" method="post"' in page


def test_filename_is_text_and_never_markup(site: Website) -> None:
    site.queued(filename='"><script>alert(1)</script>.mp4')
    for path in ("/", "/videos/v"):
        page = site.client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/videos/nobody"), ("GET", "/x"), ("POST", "/videos/nobody/retry")]
)
def test_missing_page_is_a_page(site: Website, method: str, path: str) -> None:
    response = site.client.open(path, method=method)
    assert response.status_code == 404
    assert response.content_type.startswith("text/html")
    assert "Back to all videos" in response.text


def test_button_that_comes_too_late_says_so(site: Website) -> None:
    site.done(TWO_FACES)
    response = site.client.post("/videos/v/cancel")
    assert response.status_code == 409
    assert "this one is done" in response.text


def test_pages_load_nothing_from_outside(site: Website) -> None:
    site.done(TWO_FACES)
    for path in ("/", "/videos/v"):
        page = site.client.get(path).text
        sources = re.findall(r'(?:src|href|action|data-url)="([^"]*)"', page)
        assert sources
        assert all(source.startswith(("/", "#")) and not source.startswith("//") for source in sources)
        assert "<style" not in page
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        assert not re.search(r"\son[a-z]+=", page)
        for source in sources:
            if source.startswith(("/static/", "/assets/")):
                with site.client.get(source) as response:
                    assert response.status_code == 200


def test_every_field_has_a_label(site: Website) -> None:
    site.done(TWO_FACES)
    for path in ("/", "/videos/v"):
        page = site.client.get(path).text
        for identifier in re.findall(r'<(?:input|select)[^>]*\sid="([^"]+)"', page):
            assert f'<label for="{identifier}">' in page
