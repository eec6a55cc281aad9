"""Every kind of page as a browser shows it: without errors, and usable by everyone."""

from typing import Any

import pytest

from tests.browser.conftest import Opener, assert_accessible
from tests.website import HAPPY, NEUTRAL, Website, observations

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_are_accessible_and_fit_the_screen(site: Website, address: str, open_page: Opener, screen: str) -> None:
    rows = observations({0: [(0, HAPPY)], 1: [(0, HAPPY), (1, NEUTRAL)], 2: [], 3: [(0, NEUTRAL), (1, NEUTRAL)]})
    videos = (site.done(rows, "done"), site.queued("queued"), site.failed("bad"))
    for path in ("/", *(f"/videos/{video_id}" for video_id in videos)):
        page = open_page(address + path, **SCREENS[screen])
        page.locator(".top").wait_for()
        if path.endswith("done") and page.locator("#plot").count():
            page.locator("#plot canvas").wait_for()
        assert_accessible(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= SCREENS[screen]["viewport"]["width"], f"{path} is wider than the screen"
