"""The chart of a video in a real browser: what is drawn, and what moves it."""

import numpy as np
import pytest
from playwright.sync_api import expect

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, Status, blank
from tests.browser.charts import WATCHED, add, at, coloured, drawn, with_a_gap
from tests.browser.conftest import Opener, assert_accessible
from tests.browser.test_pages import SCREENS
from tests.services import wait_until
from tests.website import HAPPY, INFO, NEUTRAL, Website, observations


def hours(frames: int = 60_000) -> Observations:
    """100 minutes of a calm face that is happy in a single frame."""
    rows = blank(frames)
    rows["frame"], rows["timestamp_s"] = np.arange(frames), np.arange(frames) / 10
    rows["status"], rows["confidence"], rows["box"] = Status.OK, 0.9, (1, 2, 30, 40)
    rows["face"] = rows["tracklet"] = 0
    rows["probabilities"] = np.eye(7)[EMOTIONS.index("neutral")]
    rows["probabilities"][45_000] = np.eye(7)[EMOTIONS.index("happy")]
    return rows


def test_lines_are_drawn_and_a_gap_is_blank(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}", viewport={"width": 1280, "height": 900}))
    assert coloured(page, 0.05, 0.38) > 500
    assert coloured(page, 0.63, 0.95) > 500
    assert coloured(page, 0.41, 0.59) == 0
    assert coloured(page, 0.05, 0.38, 0.96, 1.0) > 500, "the band below tells how the frames were"
    expect(page.locator("#chart-summary")).to_contain_text("Most often neutral (100 %)")
    expect(page.locator("#frames-key")).to_contain_text("no face")
    expect(page.locator("#frames-key [data-status=decode_error]")).to_be_hidden()
    assert_accessible(page)


def test_emotions_can_be_taken_away(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}"))
    assert coloured(page, 0, 0.38) > 500
    for emotion in EMOTIONS:
        page.locator(f'.emotion[data-emotion="{emotion}"]').click()
    wait_until(lambda: coloured(page, 0, 0.38) == 0, 30, "taking all lines away")
    page.locator('.emotion[data-emotion="happy"]').click()
    wait_until(lambda: coloured(page, 0, 0.38) > 50, 30, "drawing the happy line")


def test_click_seeks_and_the_cursor_follows_playback(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}"))
    page.mouse.click(*at(page, 0.25))
    assert page.evaluate("sought") == [pytest.approx(5.0, abs=0.11)]
    assert page.evaluate("sought[0] * 10 % 1") == pytest.approx(0, abs=1e-6), "where every frame is seen, to a frame"
    canvas = page.evaluate("window.before = document.querySelector('#plot canvas').toDataURL()")
    page.evaluate("playhead.moved(10)")
    box = page.locator("#plot .cursor").bounding_box()
    assert box is not None
    assert box["x"] == pytest.approx(at(page, 0.5)[0], abs=2)
    assert page.evaluate("document.querySelector('#plot canvas').toDataURL()") == canvas


def test_keys_go_by_frames_and_zoom(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}"))
    area = page.locator("#plot .area")
    area.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home"):
        page.keyboard.press(key)
    assert page.evaluate("sought") == [0.1, 0.2, 0.1, 19.9, 0]
    assert (area.get_attribute("aria-valuetext") or "").startswith("0:00.00, neutral 70 %, ")
    expect(page.locator("#plot .tip")).to_contain_text("neutral 70 %")
    page.keyboard.press("+")
    expect(page.locator("#chart-note")).to_contain_text("From 0:00.0 to 0:10.0")
    page.keyboard.press("PageUp")
    expect(page.locator("#chart-note")).to_contain_text("From 0:08.0 to 0:18.0")
    page.keyboard.press("0")
    expect(page.locator("#chart-note")).to_contain_text("Whole recording")


def test_a_gap_is_read_out_as_one(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}"))
    page.mouse.move(*at(page, 0.5))
    expect(page.locator("#plot .tip")).to_contain_text("no face")
    page.mouse.move(*at(page, 0.2))
    expect(page.locator("#plot .tip")).to_contain_text("neutral 70 %")


def test_a_spike_of_one_frame_is_seen_and_zooming_in_loads_every_frame(
    site: Website, address: str, open_page: Opener
) -> None:
    view = {"width": 1280, "height": 900}
    page = open_page(f"{address}/videos/{add(site, hours())}", expected=("net::ERR_FAILED",), viewport=view)
    drawn(page)
    expect(page.locator("#chart-note")).to_contain_text("mean of 4 s")
    assert coloured(page, 0.74, 0.76, 0.1, 0.9) > 100, "the one happy frame of 60,000"
    assert coloured(page, 0.3, 0.7, 0.1, 0.9) == 0
    page.locator("#smooth").select_option("raw")
    x, y = at(page, 0.75)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for _ in range(40):
        page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    expect(page.locator("#chart-note")).to_contain_text("Each point is one frame")
    page.mouse.click(x, y)
    assert page.evaluate("sought") == [pytest.approx(4500, abs=10)]
    page.locator("#whole").click()
    expect(page.locator("#chart-note")).to_contain_text("Whole recording. Each point is the mean of 4 s")
    page.route("**/chart.json?*from_s*", lambda route: route.abort())
    page.locator("#zoom-in").click()
    expect(page.locator("#chart-note")).to_contain_text("Finer data could not be loaded; zoom again to try it.")
    page.unroute_all()
    page.locator("#whole").click()
    expect(page.locator("#chart-note")).to_contain_text("Whole recording. Each point is the mean of 4 s")
    site.client.patch("/api/v1/videos/v/faces/1", json={"hidden": True})
    page.evaluate("playhead.changed()")
    expect(page.locator("#chart-summary")).to_contain_text("No face is shown here")
    with page.expect_response("**/chart.json?*from_s*") as finer:
        page.locator("#zoom-in").click()
    assert finer.value.status == 200


def test_dragging_zooms_and_double_click_shows_the_whole(site: Website, address: str, open_page: Opener) -> None:
    there = {n: NEUTRAL for n in range(80)} | {n: HAPPY for n in range(120, 180)}
    rows = observations({n: [(0, there[n])] if n in there else [] for n in range(200)})
    page = drawn(open_page(f"{address}/videos/{add(site, rows)}"))
    summary = page.locator("#chart-summary")
    expect(summary).to_contain_text("Most often neutral (57 %), then happy (43 %)")
    page.mouse.move(*at(page, 0.25))
    page.mouse.down()
    page.mouse.move(*at(page, 0.4), steps=4)
    expect(page.locator("#plot .selection")).to_be_visible()
    page.mouse.move(*at(page, 0.5), steps=4)
    page.mouse.up()
    expect(page.locator("#chart-note")).to_contain_text("From 0:05.0 to 0:10.0")
    expect(summary).to_contain_text("Most often neutral (100 %), of")
    assert page.evaluate("sought") == []
    assert coloured(page, 0.65, 1) == 0, "the gap fills the right"
    page.locator("#later").click()
    expect(page.locator("#chart-note")).to_contain_text("From 0:07.5 to 0:12.5")
    expect(summary).to_contain_text("Most often ")
    page.locator("#zoom-in").click()
    expect(summary).to_have_text("This face is not seen here.")
    page.mouse.dblclick(*at(page, 0.5))
    expect(page.locator("#chart-note")).to_contain_text("Whole recording")
    expect(summary).to_contain_text("Most often neutral (57 %), then happy (43 %)")


def test_two_fingers_zoom_and_a_tap_seeks(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}", **SCREENS["phone"]))
    page.locator("#plot").scroll_into_view_if_needed()
    page.touchscreen.tap(*at(page, 0.25))
    assert page.evaluate("sought") == [pytest.approx(5.0, abs=0.2)]
    y = at(page, 0.5)[1]
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *shares: float) -> None:
        points = [{"x": at(page, share)[0], "y": y, "id": number} for number, share in enumerate(shares)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 0.4, 0.6)
    for reach in (0.15, 0.2, 0.25):
        fingers("touchMove", 0.5 - reach, 0.5 + reach)
    fingers("touchEnd")
    expect(page.locator("#chart-note")).to_contain_text("From 0:06")
    assert len(page.evaluate("sought")) == 1


def test_faces_are_chosen_here_and_elsewhere(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap(NEUTRAL, HAPPY))}"))
    select = page.locator("#face")
    assert [option.strip() for option in select.locator("option").all_text_contents()] == [
        "Face 1 (0:00 to 0:19)", "Face 2 (0:00 to 0:19)",
    ]  # fmt: skip
    assert page.evaluate("playhead.faceId") == 1
    expect(page.locator("#chart-summary")).to_contain_text("Most often neutral")
    select.select_option("2")
    assert page.evaluate("playhead.faceId") == 2
    expect(page.locator("#chart-summary")).to_contain_text("Most often happy")
    page.evaluate("playhead.choose(1)")
    expect(select).to_have_value("1")
    expect(page.locator("#chart-summary")).to_contain_text("Most often neutral")


def test_any_number_of_faces_can_be_looked_at(site: Website, address: str, open_page: Opener) -> None:
    faces = [NEUTRAL if number % 2 else HAPPY for number in range(18)]
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap(*faces))}"))
    for number in (*range(2, 19), 1):
        page.evaluate("(number) => playhead.choose(number)", number)
        emotion = "happy" if number % 2 else "neutral"
        expect(page.locator("#chart-summary")).to_contain_text(f"Most often {emotion}")
        wait_until(lambda: coloured(page, 0.05, 0.38) > 500, 30, "drawing the line")


def test_the_sentence_tells_of_the_stretch_that_is_shown(site: Website, address: str, open_page: Opener) -> None:
    moods = {frame: [(0, NEUTRAL if frame < 100 else HAPPY)] for frame in range(200)}
    page = drawn(open_page(f"{address}/videos/{add(site, observations(moods))}"))
    told = page.locator("#chart-summary")
    expect(told).to_contain_text("Most often happy (50 %), then neutral (50 %), of 200 classified frames.")
    page.evaluate("playhead.seek(2)")
    page.locator("#zoom-in").click()
    page.locator("#zoom-in").click()
    expect(told).to_contain_text("Most often neutral (100 %)")
    expect(told).not_to_contain_text("happy")
    page.locator("#whole").click()
    expect(told).to_contain_text("of 200 classified frames")


def test_names_merges_and_hiding_are_followed(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap(NEUTRAL, HAPPY))}"))
    site.client.patch("/api/v1/videos/v/faces/1", json={"hidden": True})
    site.client.patch("/api/v1/videos/v/faces/2", json={"name": "Ada"})
    page.evaluate("playhead.changed()")
    expect(page.locator("#chart-summary")).to_contain_text("Most often happy")
    expect(page.locator("#face option")).to_have_text(["Ada (0:00 to 0:19)"])
    assert page.evaluate("playhead.faceId") == 2
    site.client.patch("/api/v1/videos/v/faces/2", json={"hidden": True})
    page.evaluate("playhead.changed()")
    expect(page.locator("#chart-summary")).to_contain_text("No face is shown here")
    assert coloured(page, 0, 1) == 0


def test_notes_are_marked_on_the_figure(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}"))
    assert coloured(page, 0.42, 0.58, 0, 0.3) == 0
    show = """(note) => {
      playhead.notes = [note];
      playhead.dispatchEvent(new Event("notes"));
    }"""
    page.evaluate(show, {"start_s": 8.5, "end_s": 11.5, "text": "task 1"})
    wait_until(lambda: coloured(page, 0.42, 0.58, 0, 0.3) > 20, 30, "drawing the range")
    page.evaluate(show, {"start_s": 10, "end_s": None, "text": "the bell"})
    wait_until(lambda: coloured(page, 0.42, 0.49, 0, 0.9) == 0, 30, "taking the range away")
    assert coloured(page, 0.495, 0.505, 0.5, 0.9) > 20, "a line where the moment is"
    with page.expect_download() as saving:
        page.locator("#save-svg").click()
    assert ">the bell</text>" in saving.value.path().read_text()


def test_two_analyses_share_one_axis(site: Website, address: str, open_page: Opener) -> None:
    for video_id, version in (("v", "paper-1"), ("w", "paper-2")):
        add(site, with_a_gap(HAPPY), video_id, sha256="same", model_version=version)
    page = drawn(open_page(f"{address}/videos/v", viewport={"width": 1280, "height": 1200}))
    expect(page.locator("#plot")).to_have_class("two")
    wait_until(lambda: coloured(page, 0.05, 0.38, 0.55, 0.93) > 300, 30, "drawing the other")
    assert coloured(page, 0.05, 0.38, 0, 0.43) > 300
    assert coloured(page, 0.41, 0.59, 0, 0.43) == coloured(page, 0.41, 0.59, 0.55, 0.93) == 0
    page.mouse.move(*at(page, 0.2))
    expect(page.locator("#plot .tip")).to_contain_text("paper-2, every frame")
    page.locator("#compare").select_option("")
    expect(page.locator("#plot")).not_to_have_class("two")


@pytest.mark.parametrize("screen", SCREENS)
def test_chart_fits_every_screen_and_is_accessible(site: Website, address: str, open_page: Opener, screen: str) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap(NEUTRAL, HAPPY))}", **SCREENS[screen]))
    assert_accessible(page)
    canvas = page.locator("#plot canvas").bounding_box()
    assert canvas is not None
    assert canvas["width"] <= SCREENS[screen]["viewport"]["width"]
    ratio = page.evaluate("document.querySelector('#plot canvas').width / devicePixelRatio")
    assert ratio == pytest.approx(canvas["width"], abs=1), "drawn for the size that it has"
    page.set_viewport_size({"width": 700, "height": 700})
    width = (
        "document.querySelector('#plot canvas').width - document.querySelector('#plot').clientWidth * devicePixelRatio"
    )
    wait_until(lambda: abs(page.evaluate(width)) <= 1, 30, "drawing for the new size")


def test_without_javascript_a_sentence_says_where_the_numbers_are(
    site: Website, address: str, open_page: Opener
) -> None:
    page = open_page(f"{address}/videos/{add(site, with_a_gap())}", java_script_enabled=False)
    expect(page.locator("noscript p")).to_have_text("The chart needs JavaScript; the CSV has every row of it.")
    expect(page.locator("#chart")).to_be_hidden()


def test_chart_opens_on_what_was_analysed_and_shades_the_rest(site: Website, address: str, open_page: Opener) -> None:
    rows = observations({frame: [(0, NEUTRAL)] for frame in range(50, 100)})
    info = INFO | {"frame_count": 400, "duration_s": 40.0}
    site.done(rows, info=info, clip_start_s=5.0, clip_end_s=10.0, filename="session 7.mp4")
    page = open_page(f"{address}/videos/v", viewport={"width": 1280, "height": 2400})
    expect(page.locator("#clip")).to_have_text("0:05\u20130:10 of 0:40")
    expect(page.locator("#chart-note")).to_contain_text("What was analysed, from 0:05.0 to 0:10.0")
    assert coloured(page, 0.02, 0.98) > 500
    expect(page.locator("#analysed")).to_be_disabled()
    page.locator("#whole").click()
    expect(page.locator("#chart-note")).to_contain_text("Whole recording.")
    assert coloured(page, 0.13, 0.24) > 50
    assert coloured(page, 0.26, 1.0) == 0, "the band of frames ends where the clip does, too"
    with page.expect_download() as saving:
        page.locator("#save-svg").click()
    assert saving.value.path().read_text().count(">not analysed</text>") == 2
    page.locator("#plot .area").focus()
    page.evaluate(WATCHED)
    for key in ("End", "Home"):
        page.keyboard.press(key)
    assert page.evaluate("sought") == [9.9, 5]
    page.locator("#analysed").click()
    expect(page.locator("#chart-note")).to_contain_text("What was analysed, from")
    assert_accessible(page)


def test_a_recording_analysed_as_a_whole_has_no_part_to_go_to(site: Website, address: str, open_page: Opener) -> None:
    page = drawn(open_page(f"{address}/videos/{add(site, with_a_gap())}"))
    expect(page.locator("#analysed")).to_be_hidden()
