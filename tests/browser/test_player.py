"""The player: which frame a browser shows is read from the picture, and must be the one whose faces are drawn."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from tests.browser.conftest import assert_accessible
from tests.clips import CLIP_BY_NAME, read_all
from tests.media.make import make_clip
from tests.services import wait_until
from tests.website import HAPPY, Website
from worker.observations import Observations, Status, blank
from worker.video import VideoPlan, plan

Opener = Callable[..., Page]
Maker = Callable[[str], Path]
GRID = 24  # points a side at which a picture is read
# Reads the picture that is shown, as a string of dark and light, and what the page says of it.
_READ = f"""() => {{
  const video = document.querySelector("video"), canvas = document.createElement("canvas");
  canvas.width = canvas.height = {GRID};
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(video, 0, 0, {GRID}, {GRID});
  const {{ data }} = context.getImageData(0, 0, {GRID}, {GRID});
  const picture = Array.from({{ length: {GRID * GRID} }}, (_, i) => data[4 * i + 1]);
  return [picture, document.querySelector(".moment").textContent];
}}"""
_WAIT_FOR_PICTURE = "() => document.querySelector('video').readyState >= 2 && !document.querySelector('video').seeking"


@pytest.fixture
def clip(clip_path: Maker, folder: Path) -> Maker:
    """Makes clips of tests/media/make.py, and others that matter to players alone."""

    def make(name: str) -> Path:
        if name in CLIP_BY_NAME:
            return clip_path(name)
        path = folder / name
        if not path.exists():
            make_clip(replace(CLIP_BY_NAME["sound_goes_on.mp4"], name=name, shift=20), path)
        return path

    return make


def analysed(site: Website, path: Path, sample_hz: float | None = None) -> VideoPlan:
    """A video of this recording with one happy face, whose box tells the frame by how far it is to the right."""
    planned = plan(path, sample_hz=sample_hz)
    (segment,) = planned.segments
    rows = blank(len(segment.frames))
    rows["frame"], rows["face"], rows["tracklet"], rows["status"] = segment.frames, 0, 0, Status.OK
    rows["timestamp_s"] = (segment.pts - planned.origin_pts) * float(planned.time_base)
    rows["confidence"], rows["probabilities"] = 0.9, HAPPY
    rows["box"] = [(10 + frame, 30, 40, 40) for frame in segment.frames]
    add(site, path, rows, planned, sample_hz=sample_hz)
    return planned


def add(site: Website, path: Path, rows: Observations, planned: VideoPlan, **changes: Any) -> None:
    site.done(rows, filename=path.name, info=asdict(planned.info), **changes)
    site.settings.recording("v").write_bytes(path.read_bytes())


def timestamps(planned: VideoPlan) -> list[float]:
    (segment,) = planned.segments
    return [float(t) for t in (segment.pts - planned.origin_pts) * float(planned.time_base)]


def pictures_of(path: Path, planned: VideoPlan) -> list[NDArray[np.uint8]]:
    """Every frame as displayed, at the points where the page is read: uint8 (GRID, GRID)."""
    frames = [frame.luma for frame in read_all(path, planned)]
    assert all(luma is not None for luma in frames)
    return [luma[np.ix_(*(_points(side) for side in luma.shape))] for luma in frames if luma is not None]


def _points(side: int) -> list[int]:
    return [int((point + 0.5) * side / GRID) for point in range(GRID)]


def nearest(picture: Sequence[int], pictures: Sequence[NDArray[np.uint8]]) -> int:
    """Number of the frame that a picture is of."""
    shown = np.array(picture, np.float64).reshape(GRID, GRID)
    # The middle value of each point's error: blocks of the barcode decide, not their edges.
    return int(np.argmin([np.mean(np.abs(shown - luma) > 60) for luma in pictures]))


def told(moment: str) -> int:
    found = re.search(r"frame (\d+)", moment)
    assert found is not None, moment
    return int(found[1])


def shows(page: Page, pictures: Sequence[NDArray[np.uint8]], frame: int) -> bool:
    """Whether the picture is that frame's; it comes a moment after the browser says so."""
    picture, _ = page.evaluate(_READ)
    return nearest(picture, pictures) == frame


def open_player(open_page: Opener, address: str, **options: Any) -> Page:
    page = open_page(f"{address}/videos/v", **options)
    page.wait_for_function(_WAIT_FOR_PICTURE)
    page.wait_for_function("() => document.querySelector('.moment').textContent.includes('frame')")
    return page


def wait_for_frame(page: Page, frame: int) -> None:
    """Until the page says that this very frame is shown."""
    page.wait_for_function(
        r"(frame) => new RegExp(`· frame ${frame}(?!\\d)`).test(document.querySelector('.moment').textContent)",
        arg=frame,
    )


def seek(page: Page, planned: VideoPlan, frame: int) -> None:
    """Ask the player as other parts of the page do, and wait until it is there."""
    page.evaluate("async (t) => (await import('/static/playhead.js')).playhead.seek(t)", timestamps(planned)[frame])
    wait_for_frame(page, frame)
    page.wait_for_function(_WAIT_FOR_PICTURE)


@pytest.mark.parametrize(
    "name",
    [
        "b_frames.mp4",
        "variable_rate.mp4",
        "edit_list.mp4",
        "start_offset.mp4",
        "start_offset.mkv",
        "late_picture.mp4",  # sound from 0 s, pictures from 0.83 s
        "late_picture.mkv",
        "rotated_90.mp4",
        "mirrored_90.mp4",
        "wide_pixels.mp4",
        "vp9_odd_size.webm",
        "vp8_hidden_frames.webm",
    ],
)
def test_faces_are_those_of_the_picture(site: Website, address: str, open_page: Opener, clip: Maker, name: str) -> None:
    planned = analysed(site, clip(name))
    times, pictures = timestamps(planned), pictures_of(clip(name), planned)
    page = open_player(open_page, address)
    # Seeking ends where the file's header says that the recording does; in variable_rate.mp4 its last frame is later.
    reach_s = page.evaluate("() => document.querySelector('video').duration") - planned.info.start_offset_s
    last = max(frame for frame, time in enumerate(times) if time < reach_s)
    for frame in (last, 0, last // 2, last // 2 + 1, 7, 1, last - 1):
        seek(page, planned, frame)
        wait_until(partial(shows, page, pictures, frame), 20, f"showing frame {frame}")
        _, moment = page.evaluate(_READ)
        assert told(moment) == frame
        assert "Face 1 · happy 60 %" in moment


def test_faces_are_those_of_the_picture_while_it_plays(
    site: Website, address: str, open_page: Opener, clip: Maker
) -> None:
    planned = analysed(site, clip("variable_rate.mp4"))
    pictures = pictures_of(clip("variable_rate.mp4"), planned)
    page = open_player(open_page, address)
    shown = page.evaluate(
        f"""async () => {{
          const video = document.querySelector("video"), read = {_READ}, shown = [];
          video.playbackRate = 0.25;
          const look = () => {{
            shown.push(read());
            video.requestVideoFrameCallback(look);
          }};
          video.requestVideoFrameCallback(look); // after the player's own
          await video.play();
          await new Promise((done) => {{
            video.addEventListener("ended", done);
            setTimeout(done, 5000);
          }});
          video.pause();
          return shown;
        }}"""
    )
    pairs = [(nearest(picture, pictures), told(moment)) for picture, moment in shown]
    assert len({frame for _, frame in pairs}) > 5
    # A browser that lags may show the next picture by the time that it is read.
    assert all(picture - frame in (0, 1) for picture, frame in pairs)
    assert np.mean([picture == frame for picture, frame in pairs]) > 0.8


def test_arrows_go_from_frame_to_frame(site: Website, address: str, open_page: Opener, clip: Maker) -> None:
    planned = analysed(site, clip("b_frames.mp4"))
    pictures = pictures_of(clip("b_frames.mp4"), planned)
    page = open_player(open_page, address)
    for key, frames in (("ArrowRight", range(1, 14)), ("ArrowLeft", range(12, -1, -1))):
        for frame in frames:
            page.keyboard.press(key)
            wait_for_frame(page, frame)
            wait_until(partial(shows, page, pictures, frame), 20, f"showing frame {frame}")
    page.keyboard.press("ArrowLeft")  # there is none before the first
    for _ in range(5):
        page.keyboard.press("ArrowRight")  # faster than it can be shown
    wait_for_frame(page, 5)


def test_a_frame_that_cannot_be_searched_for_is_passed_over(
    site: Website, address: str, open_page: Opener, clip: Maker
) -> None:
    """Chromium shows frame 12, a key frame, where 11 is asked for; the page must say so, and go on from there."""
    planned = analysed(site, clip("variable_rate.mp4"))
    pictures = pictures_of(clip("variable_rate.mp4"), planned)
    page = open_player(open_page, address)
    seek(page, planned, 10)
    shown = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
        page.wait_for_timeout(1000)
        picture, moment = page.evaluate(_READ)
        shown.append(told(moment))
        assert nearest(picture, pictures) == shown[-1]
    assert shown in ([12, 13, 12, 10, 9], [11, 12, 11, 10, 9])  # the second, should browsers learn to


def test_picture_that_the_browser_does_not_tell_of_is_told(
    site: Website, address: str, open_page: Opener, clip: Maker
) -> None:
    """Chromium tells of no picture that comes while the one before it is being told; here that is made to last."""
    planned = analysed(site, clip("b_frames.mp4"))
    pictures = pictures_of(clip("b_frames.mp4"), planned)
    page = open_player(open_page, address)
    page.evaluate(
        """() => {
          const video = document.querySelector("video"), ask = video.requestVideoFrameCallback.bind(video);
          video.requestVideoFrameCallback = (look) => setTimeout(ask, 400, look);
        }"""
    )
    seek(page, planned, 5)
    seek(page, planned, 20)
    wait_until(partial(shows, page, pictures, 20), 20, "showing frame 20")
    assert told(page.evaluate(_READ)[1]) == 20


def test_arrows_go_to_analysed_frames_only(site: Website, address: str, open_page: Opener, clip: Maker) -> None:
    planned = analysed(site, clip("b_frames.mp4"), sample_hz=5)
    (segment,) = planned.segments
    page = open_player(open_page, address)
    for frame in segment.frames[1:4].tolist():
        page.keyboard.press("ArrowRight")
        wait_for_frame(page, frame)
    page.evaluate("() => { document.querySelector('video').currentTime = 8.5 / 24 }")  # between frames 5 and 10
    page.wait_for_function("() => document.querySelector('.moment').textContent.includes('after frame 5 ')")
    page.keyboard.press("ArrowLeft")
    wait_for_frame(page, 5)


def drawn(page: Page) -> list[float]:
    """Left, top, right and bottom of the face's box on the picture, 0-1, by its lower line and its sides."""
    page.wait_for_function(_WAIT_FOR_PICTURE)
    found: list[float] = page.evaluate(
        """() => {
          const canvas = document.querySelector(".stage canvas"), video = document.querySelector("video");
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          const happy = getComputedStyle(document.documentElement).getPropertyValue("--happy").trim();
          const wanted = [1, 3, 5].map((at) => parseInt(happy.slice(at, at + 2), 16));
          const isLine = (x, y) => wanted.every((value, i) => Math.abs(value - data[4 * (y * width + x) + i]) < 8);
          const runs = (length, is) => {
            const found = [];
            for (let start = -1, i = 0; i <= length; i++) {
              if (i < length && is(i)) start = start < 0 ? i : start;
              else if (start >= 0) {
                found.push([start, i - 1]);
                start = -1;
              }
            }
            return found.sort((a, b) => b[1] - b[0] - (a[1] - a[0]));
          };
          const isLong = (run) => run && run[1] - run[0] > 20 * devicePixelRatio;
          let bottom = height, lower; // the lowest long line; the label and its letters are above the box
          do {
            bottom--;
            lower = runs(width, (x) => isLine(x, bottom))[0];
          }
          while (!isLong(lower) && bottom > 0);
          const sides = [];
          for (const [from, step] of [[lower[0], -1], [lower[1], 1]]) {
            const lines = Array.from({ length: Math.round(16 * devicePixelRatio) }, (_, i) => from + step * i)
              .map((x) => [x, runs(height, (y) => isLine(x, y))[0]])
              .filter(([, run]) => run);
            sides.push(lines.sort((a, b) => b[1][1] - b[1][0] - (a[1][1] - a[1][0]))[0]);
          }
          const [[left, [top]], [right]] = sides;
          const scale = Math.min(width / video.videoWidth, height / video.videoHeight);
          const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
          const [x0, y0] = [(width - w) / 2, (height - h) / 2];
          return [(left - x0) / w, (top - y0) / h, (right - x0) / w, (bottom - y0) / h];
        }"""
    )
    return found


@pytest.mark.parametrize("name", ["b_frames.mp4", "rotated_90.mp4", "wide_pixels.mp4"])
@pytest.mark.parametrize("options", [{}, {"device_scale_factor": 3, "viewport": {"width": 360, "height": 740}}])
def test_box_is_where_the_face_is(
    site: Website, address: str, open_page: Opener, clip: Maker, name: str, options: dict[str, Any]
) -> None:
    planned = analysed(site, clip(name))
    page = open_player(open_page, address, **options)
    seek(page, planned, 7)
    width, height = planned.info.width, planned.info.height
    expected = [17 / width, 30 / height, 57 / width, 70 / height]
    corner = 8 * 3 / 200  # the corners are rounded, and lines have a width
    assert drawn(page) == pytest.approx(expected, abs=0.04 + corner)
    page.locator("[aria-label='Faces']").click()
    assert not page.evaluate(
        """() => {
          const canvas = document.querySelector(".stage canvas");
          return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
        }"""
    )


def test_overlay_goes_into_full_screen(site: Website, address: str, open_page: Opener, clip: Maker) -> None:
    analysed(site, clip("b_frames.mp4"))
    page = open_player(open_page, address)
    small = drawn(page)
    page.locator("[aria-label='Full screen']").click()
    page.wait_for_function("() => document.fullscreenElement?.contains(document.querySelector('.stage canvas'))")
    page.wait_for_function(
        """() => {
          const [video, canvas] = [document.querySelector("video"), document.querySelector(".stage canvas")];
          const { clientHeight, height } = canvas;
          return clientHeight === video.clientHeight && height === Math.round(clientHeight * devicePixelRatio);
        }"""
    )
    assert drawn(page) == pytest.approx(small, abs=0.05)
    page.locator("[aria-label='Full screen']").click()
    page.wait_for_function("() => !document.fullscreenElement")


def test_click_on_a_box_chooses_its_face_and_elsewhere_plays(
    site: Website, address: str, open_page: Opener, clip: Maker
) -> None:
    analysed(site, clip("b_frames.mp4"))
    page = open_player(open_page, address)
    chosen = "async () => (await import('/static/playhead.js')).playhead.faceId"
    size = page.evaluate(
        "() => [document.querySelector('video').clientWidth, document.querySelector('video').clientHeight]"
    )
    scale = min(size[0] / 160, size[1] / 96)
    left, top = (size[0] - 160 * scale) / 2, (size[1] - 96 * scale) / 2
    page.evaluate("async () => { (await import('/static/playhead.js')).playhead.faceId = null; }")  # as the chart chose
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
    page.locator("[aria-label='Speed']").select_option("0.5")
    assert page.evaluate("() => document.querySelector('video').playbackRate") == 0.5
    page.keyboard.press("ArrowRight")  # belongs to the list of speeds
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
          const { Boxes } = await import("/static/boxes.js");
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
