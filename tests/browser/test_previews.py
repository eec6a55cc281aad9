"""Recordings that the browser can't play: the player has a preview made, by a real worker, and goes over to it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import delete

from emotion_timeline.db import renders
from emotion_timeline.db.tables import Render, RenderKind
from emotion_timeline.media.plan import VideoPlan, plan
from tests.browser.conftest import Opener, assert_accessible
from tests.browser.player import (
    WAIT_FOR_PICTURE,
    Maker,
    open_player,
    pictures_of,
    seek,
    shows,
    timestamps,
    wait_for_frame,
    wait_for_shown,
)
from tests.clips import CLIP_BY_NAME
from tests.finished import claim_render, finish_video
from tests.media.make import make_clip
from tests.services import Service, wait_until
from tests.website import Website

IN_WORK = "a preview is being made"
UNPLAYABLE = "This browser can't play the recording."
_WORK_MS = 240_000  # of a worker that starts on a busy machine, and makes a preview
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def start_worker(site: Website) -> Iterator[Callable[[], object]]:
    """Starts a worker of this site."""
    service = Service(site.settings)
    yield service.start_worker
    print(service.logs())
    service.close()


def analysed(site: Website, path: Path) -> VideoPlan:
    finish_video(site.database, site.settings, path)
    return plan(path)


def go_to(page: Page, timestamp_s: float) -> None:
    """As the chart does, and not waiting for it."""
    page.evaluate("async (t) => (await import('/static/timeline/playhead.js')).playhead.seek(t)", timestamp_s)


def orders(page: Page) -> list[str]:
    """Addresses that are posted to from now on."""
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    return posted


def wait_for_preview(page: Page) -> None:
    page.wait_for_function(
        "() => document.querySelector('video').currentSrc.endsWith('/preview.mp4')", timeout=_WORK_MS
    )
    page.wait_for_function(WAIT_FOR_PICTURE)
    assert page.locator(".stage .note").is_hidden()


def test_preview_is_awaited_and_then_played(
    site: Website, address: str, open_page: Opener, clip_path: Maker, start_worker: Callable[[], object]
) -> None:
    planned = analysed(site, clip_path("mpeg4.avi"))
    pictures = pictures_of(clip_path("mpeg4.avi"), planned)
    page = open_page(f"{address}/videos/v")
    page.evaluate("() => { window.isTheSamePage = true; }")
    page.get_by_text(IN_WORK).wait_for()
    go_to(page, timestamps(planned)[33])
    page.get_by_text("frame 33").wait_for()
    start_worker()
    wait_for_preview(page)
    wait_for_frame(page, 33)
    for frame in (33, 59, 0, 11, 12):
        seek(page, planned, frame)
        wait_until(partial(shows, page, pictures, frame), 20, f"showing frame {frame}")
    assert page.evaluate("() => window.isTheSamePage")


def test_recording_that_fails_when_it_is_searched_gets_a_preview(
    site: Website, address: str, open_page: Opener, folder: Path, start_worker: Callable[[], object]
) -> None:
    """Chromium can't search an MP4 of open GOPs: PIPELINE_ERROR_DECODE at frame 9."""
    path = folder / "open_gop_from_a_second_on.mp4"
    make_clip(replace(CLIP_BY_NAME["open_gop.mp4"], name=path.name, shift=24), path)
    planned = analysed(site, path)
    pictures = pictures_of(path, planned)
    page = open_player(open_page, address)
    posted = orders(page)
    page.evaluate("() => { window.isTheSamePage = true; }")
    go_to(page, timestamps(planned)[9])
    page.get_by_text(IN_WORK).wait_for()
    start_worker()
    wait_for_preview(page)
    wait_for_frame(page, 9)
    wait_until(partial(shows, page, pictures, 9), 20, "going on at the same frame")
    for key, frame in (("ArrowRight", 10), ("ArrowRight", 11), ("ArrowRight", 12), ("ArrowLeft", 11)):
        page.keyboard.press(key)
        wait_for_shown(page, pictures, frame)
    assert page.evaluate("() => window.isTheSamePage")
    assert posted == [f"{address}/api/v1/videos/v/preview"]


def test_preview_that_cannot_be_played_is_the_end_of_it(
    site: Website, address: str, open_page: Opener, clip_path: Maker
) -> None:
    analysed(site, clip_path("mpeg4.avi"))
    claim = claim_render(site.database, "v", RenderKind.PREVIEW)
    assert claim is not None
    site.settings.derived("v").mkdir(parents=True)
    (site.settings.derived("v") / "preview.mp4").write_bytes(b"no movie" * 100)
    with site.database.write() as session:
        renders.complete(session, claim)
    page = open_page(address)
    page.clock.install()
    page.goto(f"{address}/videos/v")
    page.get_by_text(UNPLAYABLE).wait_for()
    assert page.locator(".player .bar").is_hidden()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    page.evaluate("() => fetch('/healthz')")  # behind whatever was asked for before
    assert [url for url in asked if "preview" in url or "recording" in url] == []


def test_preview_that_could_not_be_made_is_ordered_again_by_a_person_alone(
    site: Website, address: str, open_page: Opener, clip_path: Maker
) -> None:
    analysed(site, clip_path("mpeg4.avi"))
    claim = claim_render(site.database, "v", RenderKind.PREVIEW)
    assert claim is not None
    with site.database.write() as session:
        renders.fail(session, claim, "code", "The disk is full.")
    page = open_page(address)
    posted = orders(page)
    page.goto(f"{address}/videos/v")
    page.get_by_text("No preview could be made: The disk is full.").wait_for()
    assert page.locator(".player .bar").is_hidden()
    go_to(page, 0.5)
    page.get_by_text("Face 1 · happy 87 %").wait_for()
    assert_accessible(page)
    assert posted == []
    page.get_by_role("button", name="Make a preview again").press("Enter")
    page.get_by_text(IN_WORK).wait_for()
    assert posted == [f"{address}/api/v1/videos/v/preview"]
    assert page.evaluate("() => document.activeElement.textContent.includes('preview')"), "the focus isn't lost"


def test_no_preview_is_ordered_for_a_browser_that_could_not_play_it(
    site: Website, address: str, open_page: Opener, clip_path: Maker
) -> None:
    """Some builds of Chromium have no H.264; this one says the same."""
    analysed(site, clip_path("mpeg4.avi"))
    with site.database.write() as session:
        session.execute(delete(Render))
    page = open_page(address)
    posted = orders(page)
    page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => ''")
    page.goto(f"{address}/videos/v")
    page.get_by_text(UNPLAYABLE).wait_for()
    assert posted == []
