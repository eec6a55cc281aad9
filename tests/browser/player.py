"""A recording in the player: how a test opens it and goes in it, and which frame its picture is of."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from emotion_timeline.clip import Clip
from emotion_timeline.media.plan import VideoPlan, plan
from emotion_timeline.observations import Observations, Status, blank
from tests.browser.conftest import Opener
from tests.clips import read_all
from tests.services import wait_until
from tests.website import HAPPY, Website

Maker = Callable[[str], Path]
GRID = 24  # points a side at which a picture is read
# Reads the picture that is shown, as a string of dark and light, and what the page says of it.
READ = f"""() => {{
  const video = document.querySelector("video"), canvas = document.createElement("canvas");
  canvas.width = canvas.height = {GRID};
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(video, 0, 0, {GRID}, {GRID});
  const {{ data }} = context.getImageData(0, 0, {GRID}, {GRID});
  const picture = Array.from({{ length: {GRID * GRID} }}, (_, i) => data[4 * i + 1]);
  return [picture, document.querySelector(".moment").textContent];
}}"""
WAIT_FOR_PICTURE = "() => document.querySelector('video').readyState >= 2 && !document.querySelector('video').seeking"


def analysed(site: Website, path: Path, sample_hz: float | None = None, clip: Clip | None = None) -> VideoPlan:
    """A video of this recording with one happy face, whose box tells the frame by how far it is to the right."""
    planned = plan(path, sample_hz=sample_hz, clip=clip)
    part = {} if clip is None else {"clip_start_s": clip.start_s, "clip_end_s": clip.end_s}
    (segment,) = planned.segments
    rows = blank(len(segment.frames))
    rows["frame"], rows["face"], rows["tracklet"], rows["status"] = segment.frames, 0, 0, Status.OK
    rows["timestamp_s"] = (segment.pts - planned.origin_pts) * float(planned.time_base)
    rows["confidence"], rows["probabilities"] = 0.9, HAPPY
    rows["box"] = [(10 + frame, 30, 40, 40) for frame in segment.frames]
    add(site, path, rows, planned, sample_hz=sample_hz, **part)
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
    picture, _ = page.evaluate(READ)
    return nearest(picture, pictures) == frame


def open_player(open_page: Opener, address: str, **options: Any) -> Page:
    page = open_page(f"{address}/videos/v", **options)
    page.wait_for_function(WAIT_FOR_PICTURE)
    page.wait_for_function("() => document.querySelector('.moment').textContent.includes('frame')")
    return page


def wait_for_frame(page: Page, frame: int) -> None:
    """Until the page says that this very frame is shown."""
    page.wait_for_function(
        r"(frame) => new RegExp(`· frame ${frame}(?!\\d)`).test(document.querySelector('.moment').textContent)",
        arg=frame,
    )


def wait_for_shown(page: Page, pictures: Sequence[NDArray[np.uint8]], frame: int) -> None:
    """Until the page says that this very frame is shown, and it is."""
    wait_for_frame(page, frame)
    wait_until(lambda: shows(page, pictures, frame), 20, f"showing frame {frame}")


def seek(page: Page, planned: VideoPlan, frame: int) -> None:
    """Ask the player as other parts of the page do, and wait until it is there."""
    page.evaluate(
        "async (t) => (await import('/static/timeline/playhead.js')).playhead.seek(t)", timestamps(planned)[frame]
    )
    wait_for_frame(page, frame)
    page.wait_for_function(WAIT_FOR_PICTURE)
