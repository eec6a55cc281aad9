"""What tests of the upload card do with it, and read from it."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Dialog, Locator, Page, Request, expect

from tests.services import ASTRONAUT, wait_until
from tests.website import Website

PATIENCE_MS = 60_000  # machines that run tests are busy
SLOW = 200_000  # bytes a second
CUT = ("net::ERR_",)
LONG_BYTES = 24_000_000  # in several pieces, and more than sockets hold
DAM_BYTES = 3_000_000
REFUSED = ("status of 422",)


def clip(path: Path, size_bytes: int = 0) -> Path:
    """A recording of its own: the astronaut, made longer by a box that says of itself that it is free space."""
    content, name = ASTRONAUT.read_bytes(), path.name.encode()
    free = max(size_bytes - len(content), len(name) + 8)
    path.write_bytes(content + free.to_bytes(4, "big") + b"free" + name.ljust(free - 8, b"\0"))
    return path


def row(page: Page, name: str) -> Locator:
    return page.locator("#queue-rows > li").filter(has=page.get_by_text(name, exact=True))


def expect_state(page: Page, name: str, state: str) -> None:
    expect(row(page, name).locator(".state")).to_have_text(state, timeout=PATIENCE_MS)


class Line:
    """What a page is connected by."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)

    def limit(self, bytes_per_s: int = SLOW) -> None:
        """Let no more than so much be sent; -1 for any."""

        conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
        self._devtools.send("Network.emulateNetworkConditions", conditions)


def offsets(page: Page) -> list[int]:
    """Filled with the offset of every piece that is sent from now on."""
    sent: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            sent.append(int(request.headers["upload-offset"]))

    page.context.on("request", note)
    return sent


def wait_for_share(page: Page, name: str, share: float) -> None:
    bar = row(page, name).locator("progress").element_handle()
    page.wait_for_function("([bar, share]) => bar.value >= share", arg=[bar, share], timeout=PATIENCE_MS)


def share(page: Page, name: str) -> float:
    """Of the file that the bar shows as sent; -1 when it shows nothing."""
    shown: float = row(page, name).locator("progress").evaluate("(bar) => bar.position")
    return shown


def wait_for_flood(site: Website) -> int:
    """Until about as much of the one upload is on the server as its dam lets through; how many bytes at least."""

    def came() -> int:
        return sum((site.settings.recordings_dir / name).stat().st_size for name in site.files())

    wait_until(lambda: came() > DAM_BYTES * 0.9, 60, "receiving what the dam lets through")
    return came()


def reopen(page: Page, other: Page) -> None:
    """Close a page; another one is then opened anew."""
    page.close()
    other.wait_for_function("async () => (await navigator.locks.query()).held.length === 0")
    other.reload()


def drop(page: Page, *paths: Path) -> None:
    """Drag files or folders over the card, as from a file manager, and let go."""
    box = page.locator(".drop").bounding_box()
    assert box is not None
    devtools = page.context.new_cdp_session(page)
    data: dict[str, Any] = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": box["x"] + 30, "y": box["y"] + 30, "data": data}
        devtools.send("Input.dispatchDragEvent", event)


def answer(questions: list[str], dialog: Dialog, *, accept: bool) -> None:
    questions.append(dialog.message)
    if accept:
        dialog.accept()
    else:
        dialog.dismiss()


def video(site: Website, page: Page, name: str) -> dict[str, Any]:
    """What the API says of the video that a row leads to."""
    address = row(page, name).locator(".name").get_attribute("href")
    assert address is not None
    found: dict[str, Any] = site.client.get(f"/api/v1{address}").get_json()
    return found
