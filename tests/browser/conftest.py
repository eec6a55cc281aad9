"""Fixtures for tests in a real browser: the system's Chromium, driven by Playwright, on the service's own web server.

Every page is watched: an error on its console, an exception in a script, or a request to another site fails the test.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.clips import CLIP_BY_NAME
from tests.media.make import make_clip
from tests.services import Service
from tests.website import Website

Opener = Callable[..., Page]
"""What open_page gives."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
)  # fmt: skip
_TIMEOUT_MS = 60_000  # machines that run tests are busy
expect.set_options(timeout=_TIMEOUT_MS)
_WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; CI has it, and elsewhere its tests are skipped when it isn't there."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        assert not os.environ.get("CI"), "CI must have Chromium, or pages would go untested"
        pytest.skip(f"a browser was expected on the path ({', '.join(_NAMES)}); on Debian: apt install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=_OPTIONS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Opener]:
    """Opens pages of contexts of their own, and fails the test for what goes wrong in them without a sign.

    Calling it with an address gives a Page; keywords are those of Playwright's Browser.new_context, such as
    `color_scheme="dark"`, `viewport={"width": 360, "height": 740}` or `java_script_enabled=False`. `expected` are parts
    of the lines that the browser writes on its console when a request fails that the test lets fail, such as
    `"net::ERR_INTERNET_DISCONNECTED"`; they don't count, and other lines do.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(address: str, expected: Sequence[str] = (), **options: Any) -> Page:
        context = browser.new_context(**{"locale": "en-GB", "timezone_id": "Europe/Berlin", **options})
        context.set_default_timeout(_TIMEOUT_MS)
        contexts.append(context)
        site = urlsplit(address).netloc
        context.on("weberror", lambda error: faults.append(f"exception: {error.error}"))
        context.on(
            "console", lambda line: faults.append(f"console: {line.text}") if _is_fault(line, expected) else None
        )
        context.on("request", lambda request: _note_foreign(request.url, site, faults))
        page = context.new_page()
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _is_fault(line: ConsoleMessage, expected: Sequence[str]) -> bool:
    return line.type == "error" and not any(part in line.text for part in expected)


def _note_foreign(url: str, site: str, faults: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc != site:
        faults.append(f"request to another site: {url}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Website, str]]:
    """A site, and its address under the service's own web server: one for all tests, for it takes seconds to start."""
    website = Website(tmp_path_factory.mktemp("browser"))
    service = Service(website.settings)
    with service.web() as url:
        yield website, url
    service.close()
    website.database.close()


@pytest.fixture
def site(server: tuple[Website, str]) -> Website:
    """The site with nothing on it."""
    website, _ = server
    website.empty()
    return website


@pytest.fixture
def address(site: Website, server: tuple[Website, str]) -> str:
    """Address of `site` under the service's own web server; no worker runs."""
    _, url = server
    return url


@pytest.fixture
def clip(clip_path: Callable[[str], Path], folder: Path) -> Callable[[str], Path]:
    """Makes clips of tests/media/make.py, and others that matter to players alone."""

    def make(name: str) -> Path:
        if name in CLIP_BY_NAME:
            return clip_path(name)
        path = folder / name
        if not path.exists():
            make_clip(replace(CLIP_BY_NAME["sound_goes_on.mp4"], name=name, shift=20), path)
        return path

    return make


def assert_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe-core can find."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": _WCAG_AA}})
    assert found.violations_count == 0, found.generate_report()
