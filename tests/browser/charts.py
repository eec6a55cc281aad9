"""A video with a chart, and the chart in a browser: for the tests of either."""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page, expect

from emotion_timeline.observations import Observations
from tests.website import INFO, NEUTRAL, Website, observations

WATCHED = """async () => {
  window.playhead = (await import("/static/timeline/playhead.js")).playhead;
  window.sought = [];
  playhead.addEventListener("seek", ({ detail }) => sought.push(detail));
}"""
# Coloured pixels (neither grey nor nearly so) in a part of the canvas, given in fractions of the figure's area.
COLOURED = """([left, right, top, bottom]) => {
  const canvas = document.querySelector("#plot canvas");
  const area = document.querySelector("#plot .area");
  const [x, y] = [area.offsetLeft, area.offsetTop].map((px) => px * devicePixelRatio);
  const [width, height] = [area.clientWidth, area.clientHeight].map((px) => px * devicePixelRatio);
  const data = canvas.getContext("2d").getImageData(
    x + left * width, y + top * height, (right - left) * width, (bottom - top) * height).data;
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] && Math.max(...data.slice(i, i + 3)) - Math.min(...data.slice(i, i + 3)) > 40) count++;
  }
  return count;
}"""


def with_a_gap(*faces: Sequence[float]) -> Observations:
    """20 s at 10 frames/s; nobody is there from 8 to 12 s."""
    there = list(enumerate(faces or (NEUTRAL,)))
    return observations({frame: [] if 80 <= frame < 120 else there for frame in range(200)})


def add(site: Website, rows: Observations, video_id: str = "v", **changes: Any) -> str:
    frames = int(rows["frame"].max()) + 1
    info = INFO | {"frame_count": frames, "duration_s": frames / 10}
    return site.done(rows, video_id, **{"info": info, "filename": "session 7.mp4", **changes})


def drawn(page: Page) -> Page:
    """The page when its chart is there; `playhead` and `sought` are within reach of scripts."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": 2400})  # the player stands above the chart
    expect(page.locator("#chart-note")).to_contain_text("Whole recording.")
    page.evaluate(WATCHED)
    return page


def coloured(page: Page, left: float, right: float, top: float = 0.0, bottom: float = 0.95) -> int:
    count: int = page.evaluate(COLOURED, [left, right, top, bottom])
    return count


def at(page: Page, share: float) -> tuple[float, float]:
    """A place over the figure, in pixels of the window."""
    box = page.locator("#plot .area").bounding_box()
    assert box is not None
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2
