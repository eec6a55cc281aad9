"""The player's controls, and what it says of recordings that can't be played."""

from typing import Any

import numpy as np
import pytest

from emotion_timeline.observations import blank
from tests.browser.conftest import Opener, assert_accessible
from tests.browser.player import Maker, analysed, open_player, wait_for_frame
from tests.website import Website


def test_click_on_a_box_chooses_its_face_and_elsewhere_plays(
    site: Website, address: str, open_page: Opener, clip: Maker
) -> None:
    analysed(site, clip("b_frames.mp4"))
    page = open_player(open_page, address)
    chosen = "async () => (await import('/static/timeline/playhead.js')).playhead.faceId"
    size = page.evaluate(
        "() => [document.querySelector('video').clientWidth, document.querySelector('video').clientHeight]"
    )
    scale = min(size[0] / 160, size[1] / 96)
    left, top = (size[0] - 160 * scale) / 2, (size[1] - 96 * scale) / 2
    page.evaluate(
        "async () => { (await import('/static/timeline/playhead.js')).playhead.faceId = null; }"
    )  # as the chart chose
    page.locator("video").click(position={"x": left + 30 * scale, "y": top + 50 * scale})
    assert page.evaluate(chosen) == 1
    assert page.evaluate("() => document.querySelector('video').paused")
    page.locator(".moment .face[aria-pressed=true]").wait_for()
    page.locator("video").click(position={"x": left + 150 * scale, "y": top + 10 * scale})
    page.wait_for_function("() => document.querySelector('.player.playing') || document.querySelector('video').ended")


def test_keys_play_and_jump(site: Website, address: str, open_page: Opener, clip: Maker) -> None:
    analysed(site, clip("sound_goes_on.mp4"))
    page = open_player(open_page, address)
    assert page.locator(".moment").get_attribute("aria-live") == "polite"
    page.locator("[aria-label='Position']").focus()
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('.moment').ariaLive === 'off'")
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('.moment').ariaLive === 'polite'")
    page.keyboard.press("Shift+ArrowRight")
    wait_for_frame(page, 59)
    page.keyboard.press("Shift+ArrowLeft")
    wait_for_frame(page, 0)
    speed = page.locator("[aria-label='Speed']")
    speed.select_option("0.5")
    assert page.evaluate("() => document.querySelector('video').playbackRate") == 0.5
    speed.press("ArrowRight")  # belongs to the list of speeds
    page.wait_for_function("() => document.querySelector('video').playbackRate === 1")
    wait_for_frame(page, 0)


def test_faces_ahead_are_fetched_and_those_behind_let_go(site: Website, address: str, open_page: Opener) -> None:
    rows = blank(6000)
    rows["frame"], rows["timestamp_s"] = np.arange(6000), np.arange(6000) / 10
    site.done(rows)
    page = open_page(address)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "boxes.json" in request.url else None)
    found = page.evaluate(
        """async () => {
          const { Boxes } = await import("/static/timeline/boxes.js");
          const boxes = new Boxes("/api/v1/videos/v/boxes.json", 600), wrong = [];
          const until = async (timestampS) => {
            const more = () => new Promise((done) => boxes.addEventListener("loaded", done, { once: true }));
            while (boxes.at(timestampS) === undefined) await more();
          };
          boxes.prepare(12);
          await until(25); // ahead of its time
          for (let i = 0; i < 6000; i += 7) {
            boxes.prepare(i / 10);
            await until(i / 10);
            if (boxes.at(i / 10).frame !== i) wrong.push([i, boxes.at(i / 10).frame]);
          }
          const before = await boxes.neighbour(200, -1), after = await boxes.neighbour(199.9, 1);
          const near = await boxes.nearest(399.96);
          return [wrong, boxes.at(0) === undefined, before, after, near];
        }"""
    )
    assert found == [[], True, 199.9, 200.0, {"timestampS": 400.0, "nextS": None}]
    assert 30 <= len(asked) <= 34  # each window once, and again those that had been let go


def test_recording_that_is_gone_leaves_the_timeline(
    site: Website, address: str, open_page: Opener, clip: Maker
) -> None:
    analysed(site, clip("b_frames.mp4"))
    site.settings.recording("v").unlink()
    page = open_page(f"{address}/videos/v")
    page.get_by_text("not on the server any more").wait_for()
    wait_for_frame(page, 0)
    assert_accessible(page)


def test_plain_player_works_without_javascript(site: Website, address: str, open_page: Opener, clip: Maker) -> None:
    analysed(site, clip("b_frames.mp4"))
    page = open_page(f"{address}/videos/v", java_script_enabled=False)
    assert page.locator("video[controls]").is_visible()
    assert page.locator(".player .bar").is_hidden()


@pytest.mark.parametrize(
    "options",
    [
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
        {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
    ],
)
def test_player_is_accessible(
    site: Website, address: str, open_page: Opener, clip: Maker, options: dict[str, Any]
) -> None:
    analysed(site, clip("b_frames.mp4"))
    page = open_player(open_page, address, **options)
    assert_accessible(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= options["viewport"]["width"]
    for control in page.locator(".player :is(button, select)").all():
        box = control.bounding_box()
        assert box is None or min(box["width"], box["height"]) >= 44
    page.mouse.wheel(0, 400)
    page.wait_for_function("() => scrollY > 100")
    box = page.locator(".player").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 20  # it stays in view
    assert box["height"] < 0.65 * options["viewport"]["height"]
