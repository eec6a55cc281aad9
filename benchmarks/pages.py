"""How heavy the pages are, and how soon they can be used, for a timeline of three hours.

    python -m benchmarks.pages [--hours 3] [--faces 3]

By the service's own web server and the system's Chromium, on SQLite, with an empty cache each time. Ready means: the
page has loaded, and what its scripts draw is there. Compared in the same run: the page of a recording of one minute.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.chart import seed
from tests.services import Service
from tests.website import Website

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_REPEATS = 5
_CHART_READY = "() => document.querySelector('#chart-note')?.textContent.startsWith('Whole recording')"
_LIST_READY = "() => document.querySelectorAll('li[data-status]').length === 2"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--faces", type=int, default=3)
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        parser.error(f"a browser was expected on the path: one of {', '.join(_BROWSERS)}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        website = Website(Path(folder))
        pages = {
            "list": ("/", _LIST_READY),
            "1 minute": (f"/videos/{seed(website, 'short', 1, options.faces)}", _CHART_READY),
            f"{options.hours:g} hours": (
                f"/videos/{seed(website, 'long', round(options.hours * 60), options.faces)}",
                _CHART_READY,
            ),
        }
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        print(f"{'page':12}{'requests':>10}{'kB sent':>10}{'ready after':>14}{'ratio':>8}")
        with Service(website.settings).web() as address:
            measured = {name: _open(browser, address + at, ready) for name, (at, ready) in pages.items()}
        for name, (requests, size, seconds) in measured.items():
            ratio = seconds / measured["1 minute"][2]
            print(f"{name:12}{requests:10}{size / 1000:10,.0f}{seconds:12.2f} s{ratio:8.1f}")
        browser.close()
        website.database.close()


def _open(browser: Browser, address: str, ready: str) -> tuple[int, int, float]:
    """Requests, bytes of the answers, and the median seconds until the page is ready."""
    elapsed = []
    for _ in range(_REPEATS):
        context = browser.new_context()
        page = context.new_page()
        started = perf_counter()
        page.goto(address)
        page.wait_for_function(ready)
        elapsed.append(perf_counter() - started)
        requests, size = _weight(page)
        context.close()
    return requests, size, median(elapsed)


def _weight(page: Page) -> tuple[int, int]:
    """Requests that the page made, and the bytes that came over the wire."""
    sizes: list[int] = page.evaluate(
        "() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map(entry => entry.transferSize)"
    )
    return len(sizes), sum(sizes)


if __name__ == "__main__":
    main()
