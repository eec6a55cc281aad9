"""`python -m scripts.picture RECORDING...`: the README's pictures, docs/list.png and docs/video-page.png.

Analyses the recordings by a service in a temporary folder, as the demo does, and takes pictures of the list and of the
first one's page with the system's Chromium.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, ViewportSize, sync_playwright

from scripts.demo import REPOSITORY, DemoFailed, analyze, running_service

FOLDER = REPOSITORY / "docs"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SIZE: ViewportSize = {"width": 1200, "height": 900}  # pixels of the window
_AT = 0.7  # of the recording: where the player stands
_PICTURES_S = 60.0  # to wait for thumbnails


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog="picture", description="Take the README's pictures.")
    parser.add_argument("recordings", type=Path, nargs="+")
    recordings = parser.parse_args().recordings
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        print(f"A browser was expected on the path: one of {', '.join(_BROWSERS)}. Install one.", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as url:
            videos = [analyze(url, recording) for recording in recordings]
            _take(browser, url, urljoin(url, videos[0]["links"]["page"]))
    except DemoFailed as exc:
        print(f"The pictures could not be taken: {exc}", file=sys.stderr)
        return 1
    print(f"Wrote {FOLDER.relative_to(REPOSITORY)}/list.png and video-page.png.")
    return 0


def _take(browser: str, index: str, page_url: str) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport=_SIZE, locale="en-GB")
        page.goto(index)
        _wait_for_pictures(page)
        page.screenshot(path=FOLDER / "list.png", full_page=True)
        page.goto(page_url)
        page.locator("video").evaluate(f"video => {{ video.currentTime = {_AT} * video.duration; }}")
        page.wait_for_timeout(2000)  # the picture is decoded and the boxes are drawn
        page.screenshot(path=FOLDER / "video-page.png", full_page=True)
        chromium.close()


def _wait_for_pictures(page: Page) -> None:
    deadline = time.monotonic() + _PICTURES_S
    while page.locator("#list li").count() != page.locator("#list li img").count() and time.monotonic() < deadline:
        page.wait_for_timeout(500)


if __name__ == "__main__":
    sys.exit(main())
