"""The upload card: what people drop, choose or record arrives whole, whatever happens on the way."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Locator, Page, Request, expect

from tests.browser.conftest import assert_accessible
from tests.browser.test_pages import SCREENS
from tests.proxies import Dam
from tests.services import ASTRONAUT, Service, wait_until
from tests.website import Website
from worker.db import videos

Opener = Callable[..., Page]
_PATIENCE_MS = 60_000  # machines that run tests are busy
_SLOW = 200_000  # bytes a second
_CUT = ("net::ERR_",)
_LONG_BYTES = 24_000_000  # in several pieces, and more than sockets hold
_DAM_BYTES = 3_000_000
_REFUSED = ("status of 422",)


def clip(path: Path, size_bytes: int = 0) -> Path:
    """A recording of its own: the astronaut, made longer by a box that says of itself that it is free space."""
    content, name = ASTRONAUT.read_bytes(), path.name.encode()
    free = max(size_bytes - len(content), len(name) + 8)
    path.write_bytes(content + free.to_bytes(4, "big") + b"free" + name.ljust(free - 8, b"\0"))
    return path


@pytest.fixture
def dam(address: str) -> Iterator[Dam]:
    """Between the browser and the service: what is sent stays in it, but for the first bytes."""
    made = Dam(int(address.rpartition(":")[2]), _DAM_BYTES)
    with made.running():
        yield made


def row(page: Page, name: str) -> Locator:
    return page.locator("#queue-rows > li").filter(has=page.get_by_text(name, exact=True))


def expect_state(page: Page, name: str, state: str) -> None:
    expect(row(page, name).locator(".state")).to_have_text(state, timeout=_PATIENCE_MS)


class Line:
    """What a page is connected by."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)

    def limit(self, bytes_per_s: int = _SLOW) -> None:
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
    page.wait_for_function("([bar, share]) => bar.value >= share", arg=[bar, share], timeout=_PATIENCE_MS)


def share(page: Page, name: str) -> float:
    """Of the file that the bar shows as sent; -1 when it shows nothing."""
    shown: float = row(page, name).locator("progress").evaluate("(bar) => bar.position")
    return shown


def wait_for_flood(site: Website) -> int:
    """Until about as much of the one upload is on the server as its dam lets through; how many bytes at least."""

    def came() -> int:
        return sum((site.settings.recordings_dir / name).stat().st_size for name in site.files())

    wait_until(lambda: came() > _DAM_BYTES * 0.9, 60, "receiving what the dam lets through")
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


def test_dropped_files_and_folders_are_accepted_and_listed(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    (tmp_path / "session" / "day 1").mkdir(parents=True)
    (tmp_path / "session" / "notes.txt").write_text("not for here")
    clip(tmp_path / "session" / "day 1" / "three.mp4")
    page = open_page(address)
    expect(page.locator("#queue")).to_be_hidden()
    drop(page, clip(tmp_path / "one.mp4"), clip(tmp_path / "two.mp4"), tmp_path / "session")
    for name in ("one.mp4", "two.mp4", "three.mp4"):
        expect_state(page, name, "Accepted")
        assert video(site, page, name)["filename"] == name
        expect(page.locator("#list a.name").get_by_text(name, exact=True)).to_be_visible()
    expect(page.locator("#queue-total")).to_have_text("3 of 3 finished")
    row(page, "two.mp4").locator(".name").click()
    expect(page.get_by_role("heading", name="two.mp4")).to_be_visible()


def test_two_are_sent_at_a_time_and_tell_how_far_they_are(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address)
    line = Line(page)
    line.limit()
    page.set_input_files("#file", [clip(tmp_path / f"{number}.mp4", 2_000_000) for number in range(4)])
    for number, state in enumerate(("Sending", "Sending", "Waiting", "Waiting")):
        expect_state(page, f"{number}.mp4", state)
    expect(row(page, "0.mp4").locator(".so-far")).to_have_text(
        re.compile(r"^[\d.]+ [kM]B of 2\.0 MB · [\d.]+ [kM]B/s · about .+ left$"), timeout=_PATIENCE_MS
    )
    wait_for_share(page, "0.mp4", 0.05)
    page.get_by_role("button", name="Pause all").click()
    for number in range(4):
        expect_state(page, f"{number}.mp4", "Paused")
    line.limit(-1)
    page.get_by_role("button", name="Continue all").click()
    for number in range(4):
        expect_state(page, f"{number}.mp4", "Accepted")
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator("#queue")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "choose"


def test_refused_file_says_why_and_a_duplicate_leads_to_the_first(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address, expected=_REFUSED)
    (tmp_path / "notes.mp4").write_text("not a video at all")
    (tmp_path / "empty.mp4").touch()
    page.set_input_files("#file", [clip(tmp_path / "first.mp4"), tmp_path / "notes.mp4", tmp_path / "empty.mp4"])
    expect_state(page, "empty.mp4", "Refused")
    expect(row(page, "empty.mp4")).to_contain_text("The file is empty.")
    expect_state(page, "notes.mp4", "Refused")
    expect(row(page, "notes.mp4").locator(".why-not")).to_contain_text("notes.mp4")
    expect_state(page, "first.mp4", "Accepted")
    (tmp_path / "copy.mp4").write_bytes((tmp_path / "first.mp4").read_bytes())
    page.set_input_files("#file", tmp_path / "copy.mp4")
    expect_state(page, "copy.mp4", "Already analysed")
    first = row(page, "first.mp4").locator(".name").get_attribute("href")
    assert first is not None
    expect(page.get_by_role("link", name="Show that analysis")).to_have_attribute("href", first)
    assert site.rows() == 1
    assert len(site.files()) == 1


def test_too_large_file_is_refused_before_it_is_sent(open_page: Opener, tmp_path: Path) -> None:
    website = Website(tmp_path, max_upload_bytes=100_000)
    with Service(website.settings).web() as address:
        page = open_page(address)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        page.set_input_files("#file", clip(tmp_path / "large.mp4", 500_000))
        expect(row(page, "large.mp4")).to_contain_text("may have up to 100 kB here; this one has 500 kB")
        assert "POST" not in asked
    website.database.close()


def test_paused_file_goes_on_where_it_stopped(site: Website, address: str, open_page: Opener, tmp_path: Path) -> None:
    page = open_page(address)
    sent = offsets(page)
    line = Line(page)
    line.limit()
    page.set_input_files("#file", clip(tmp_path / "long.mp4", 2_000_000))
    wait_for_share(page, "long.mp4", 0.3)
    page.get_by_role("button", name="Pause: long.mp4").click()
    expect_state(page, "long.mp4", "Paused")
    focused = page.get_by_role("button", name="Continue: long.mp4")
    expect(focused).to_be_focused()
    line.limit(-1)
    focused.press("Enter")
    expect_state(page, "long.mp4", "Accepted")
    assert sent[0] == 0
    assert all(offset > 100_000 for offset in sent[1:]), sent
    expect(row(page, "long.mp4").get_by_role("button", name="Remove: long.mp4")).to_be_visible()


def test_lost_connection_is_survived(site: Website, dam: Dam, open_page: Opener, tmp_path: Path) -> None:
    page = open_page(f"http://127.0.0.1:{dam.port}", expected=_CUT)
    sent = offsets(page)
    page.set_input_files("#file", clip(tmp_path / "long.mp4", _LONG_BYTES))
    came = wait_for_flood(site)
    dam.cut()
    expect_state(page, "long.mp4", "No connection")
    expect(row(page, "long.mp4")).to_contain_text("The connection was lost. Next try in")
    assert share(page, "long.mp4") >= came / _LONG_BYTES
    dam.open()
    expect_state(page, "long.mp4", "Accepted")
    assert sent[0] == 0
    assert came <= sent[1] <= _DAM_BYTES
    recording = site.settings.recording(video(site, page, "long.mp4")["id"])
    assert recording.read_bytes() == (tmp_path / "long.mp4").read_bytes()


def test_closed_page_goes_on_when_the_file_is_chosen_again(
    site: Website, dam: Dam, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(f"http://127.0.0.1:{dam.port}")
    path = clip(tmp_path / "long.mp4", _LONG_BYTES)
    page.locator(".settings summary").click()
    page.select_option("#sample-hz", "5")
    page.set_input_files("#file", path)
    came = wait_for_flood(site)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#queue")).to_be_hidden()  # it is going on in the first page
    dam.open()  # for what is sent from now on; what waits does not arrive any more
    reopen(page, other)
    expect_state(other, "long.mp4", "Interrupted")
    expect(row(other, "long.mp4")).to_contain_text("Choose the file again to continue (5 frames per second")
    expect(row(other, "long.mp4").locator(".so-far")).to_have_text(re.compile(r"^2\.\d MB of 24\.0 MB$"))
    assert came <= share(other, "long.mp4") * _LONG_BYTES <= _DAM_BYTES
    sent = offsets(other)
    with other.expect_file_chooser() as chooser:
        other.get_by_role("button", name="Choose the file again: long.mp4").click()
    chooser.value.set_files(clip(tmp_path / "another.mp4"))
    expect(row(other, "long.mp4")).to_contain_text("another.mp4 is another file. Choose long.mp4")
    other.set_input_files("#file", path)
    expect_state(other, "long.mp4", "Accepted")
    assert came <= sent[0] <= _DAM_BYTES
    assert sent == sorted(set(sent))  # nothing was sent twice
    found = video(site, other, "long.mp4")
    assert found["sample_hz"] == 5
    assert site.settings.recording(found["id"]).read_bytes() == path.read_bytes()
    other.reload()
    expect(other.locator("#choose")).to_be_visible()
    expect(other.locator("#queue")).to_be_hidden()  # nothing is remembered of what is over


def test_reopened_page_claims_nothing_of_an_upload_that_it_cannot_ask_for(
    site: Website, dam: Dam, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(f"http://127.0.0.1:{dam.port}", expected=("net::ERR_FAILED",))
    path = clip(tmp_path / "long.mp4", _LONG_BYTES)
    page.set_input_files("#file", path)
    came = wait_for_flood(site)
    other = page.context.new_page()
    other.route("**/api/v1/uploads/*", lambda route: route.abort())
    other.goto(page.url)
    reopen(page, other)
    expect_state(other, "long.mp4", "Interrupted")
    expect(row(other, "long.mp4").locator(".so-far")).to_have_text("24.0 MB")
    assert share(other, "long.mp4") == -1, "a bar at zero would say that all is lost"
    other.set_input_files("#file", path)
    expect_state(other, "long.mp4", "No connection")
    assert share(other, "long.mp4") == -1
    dam.open()
    sent = offsets(other)
    other.unroute("**/api/v1/uploads/*")
    expect_state(other, "long.mp4", "Accepted")
    assert came <= sent[0] <= _DAM_BYTES


def test_cancelled_file_leaves_nothing_and_the_focus_goes_on(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address)
    Line(page).limit()
    page.set_input_files("#file", [clip(tmp_path / "a.mp4", 2_000_000), clip(tmp_path / "b.mp4", 2_000_000)])
    wait_for_share(page, "a.mp4", 0.05)
    wait_for_share(page, "b.mp4", 0.05)
    assert len(site.files()) == 2
    page.get_by_role("button", name="Cancel: a.mp4").press("Enter")
    expect(row(page, "a.mp4")).to_have_count(0)
    expect(page.get_by_role("button", name="Pause: b.mp4")).to_be_focused()
    expect(page.locator("#queue-news")).to_contain_text("a.mp4: cancelled.")
    page.get_by_role("button", name="Cancel: b.mp4").press("Enter")
    expect(page.locator("#choose")).to_be_focused()
    expect(page.locator("#queue")).to_be_hidden()
    wait_until(lambda: site.files() == [], 60, "removing what was sent")
    page.reload()
    expect(page.locator("#choose")).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()


def test_all_are_cancelled_only_after_a_question(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address)
    Line(page).limit(20_000)
    names = ("a.mp4", "b.mp4", "c.mp4")
    page.set_input_files("#file", [clip(tmp_path / name, 2_000_000) for name in names])
    expect_state(page, "b.mp4", "Sending")
    page.get_by_role("button", name="Pause: a.mp4").click()
    expect_state(page, "c.mp4", "Sending")
    wait_until(lambda: len(site.files()) == 3, 60, "announcing all of them")
    questions: list[str] = []
    page.once("dialog", partial(answer, questions, accept=False))
    page.get_by_role("button", name="Cancel all").click()
    for name, state in zip(names, ("Paused", "Sending", "Sending"), strict=True):
        expect_state(page, name, state)
    assert questions == ["Cancel 3 uploads? What was sent of them is deleted."]
    page.once("dialog", partial(answer, questions, accept=True))
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("#choose")).to_be_focused()
    wait_until(lambda: site.files() == [], 60, "removing what was sent")
    page.reload()
    expect(page.locator("#choose")).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()


def test_leaving_while_something_is_sent_needs_a_second_thought(
    address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address)
    Line(page).limit(20_000)
    questions: list[str] = []
    page.on("dialog", partial(answer, questions, accept=False))
    leave = page.get_by_role("link", name="Emotion Timeline")  # to the same page, anew
    page.set_input_files("#file", clip(tmp_path / "long.mp4", 2_000_000))
    expect_state(page, "long.mp4", "Sending")
    with page.expect_event("dialog") as asked:
        leave.click(no_wait_after=True)
    assert asked.value.type == "beforeunload"
    expect_state(page, "long.mp4", "Sending")
    page.get_by_role("button", name="Pause: long.mp4").click()
    leave.click()
    expect_state(page, "long.mp4", "Interrupted")
    leave.click()
    expect_state(page, "long.mp4", "Interrupted")
    assert len(questions) == 1, "nothing is lost by leaving what is paused or interrupted"


def test_file_that_finds_no_space_is_sent_when_there_is_room(site: Website, open_page: Opener, tmp_path: Path) -> None:
    service = Service(site.settings)
    with service.web(TIMELINE_MIN_FREE_BYTES=str(1 << 60)) as full, service.web() as roomy:
        switch = Dam(int(full.rpartition(":")[2]), most_bytes=1 << 60)
        with switch.running() as address:
            page = open_page(address, expected=("status of 507", *_CUT))
            page.set_input_files("#file", clip(tmp_path / "talk.mp4"))
            expect_state(page, "talk.mp4", "Not sent")
            expect(page.get_by_role("button", name="Clear finished")).to_be_hidden()  # it is not to be cleared away
            expect(row(page, "talk.mp4")).to_contain_text("There is not enough free disk space on the server")
            assert site.files() == []
            again = page.get_by_role("button", name="Try again: talk.mp4")
            with page.expect_response(lambda response: response.status == 507):
                again.press("Enter")
            expect_state(page, "talk.mp4", "Not sent")
            expect(again).to_be_focused()
            switch.target = int(roomy.rpartition(":")[2])
            switch.cut()
            switch.open()
            again.press("Enter")
            expect_state(page, "talk.mp4", "Accepted")
            assert video(site, page, "talk.mp4")["filename"] == "talk.mp4"
            page.context.close()  # before what it talks with
    service.close()


def test_options_are_checked_and_hold_for_what_is_added(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address)
    page.locator(".settings summary").click()
    page.select_option("#sample-hz", "other")
    page.fill("#other-hz", "2.5")
    page.fill("#clip-start", "0:75")
    page.fill("#clip-end", "0:01.5")
    page.locator("#clip-end").blur()
    expect(page.locator("#options-problem")).to_contain_text("From: “0:75” is no time.")
    page.locator(".settings summary").click()
    page.set_input_files("#file", clip(tmp_path / "part.mp4"))
    expect(page.locator("#clip-start")).to_be_focused()
    expect(page.locator("#queue")).to_be_hidden()
    page.fill("#clip-start", "2")
    page.locator("#clip-start").blur()
    expect(page.locator("#options-problem")).to_contain_text("has to end after it begins, but goes from 0:02 to 0:01.5")
    page.fill("#clip-start", "0,5")
    page.locator("#clip-start").blur()
    expect_state(page, "part.mp4", "Accepted")  # the file that was chosen has waited
    found = video(site, page, "part.mp4")
    assert found["sample_hz"] == 2.5
    with site.database.read() as session:
        stored = videos.get(session, found["id"])
        assert (stored.clip_start_s, stored.clip_end_s) == (0.5, 1.5)
    page.locator(".settings summary").click()
    expect(page.locator("#options-summary")).to_have_text("2.5 frames per second, from 0:00.5 to 0:01.5")


def test_times_are_read_as_people_write_them(address: str, open_page: Opener) -> None:
    times = {"90": 90, "1:30": 90, "1:02:30": 3750, "0:07.25": 7.25, " 2,5 ": 2.5, "0": 0, "90:00": 5400}
    no_times = ["1:60", "1:60:00", "-1", "1e3", "x", "1:2:3:4", "1:", ""]
    script = """async (texts) => {
      const { readClock } = await import("/static/quantities.js");
      return texts.map(readClock).map((seconds) => Number.isNaN(seconds) ? null : seconds);
    }"""
    page = open_page(address)
    assert page.evaluate(script, [*times, *no_times]) == [*times.values(), *[None] * len(no_times)]
    script = """async (seconds) => seconds.map((await import("/static/quantities.js")).clock)"""
    assert page.evaluate(script, [0, 7.5, 59.9999, 750, 3723]) == ["0:00", "0:07.5", "1:00", "12:30", "1:02:03"]


def test_camera_recording_is_accepted(site: Website, address: str, open_page: Opener) -> None:
    page = open_page(address, permissions=["camera", "microphone"])
    page.get_by_role("button", name="Record with the camera").click()
    page.get_by_role("button", name="Start recording").click()
    expect(page.locator("#camera-clock")).to_have_text("0:02", timeout=_PATIENCE_MS)
    page.get_by_role("button", name="Stop recording").click()
    name = page.locator("#queue-rows .name")
    expect(name).to_have_text(re.compile(r"^Camera \d{4}-\d\d-\d\d \d\d-\d\d\.webm$"))
    expect(page.locator("#queue-rows .state")).to_have_text("Accepted", timeout=_PATIENCE_MS)
    found = video(site, page, name.inner_text())
    assert found["video"]["codec"] == "vp8"
    assert found["video"]["duration_s"] > 1
    page.get_by_role("button", name="Close the camera").click()
    expect(page.get_by_role("button", name="Record with the camera")).to_be_focused()
    assert page.evaluate("document.getElementById('camera-picture').srcObject") is None


def test_form_works_without_javascript(site: Website, address: str, open_page: Opener, tmp_path: Path) -> None:
    page = open_page(address, java_script_enabled=False)
    page.set_input_files("#file", clip(tmp_path / "plain.mp4"))
    page.locator(".settings summary").click()
    page.fill("#clip-end", "1.5")
    page.get_by_role("button", name="Upload and analyse").click()
    expect(page.get_by_role("heading", name="plain.mp4")).to_be_visible()
    assert site.rows() == 1
    expect(page.locator("#queue")).to_have_count(0)


@pytest.mark.parametrize("screen", SCREENS)
def test_card_in_use_is_accessible_and_fits_the_screen(
    site: Website, address: str, open_page: Opener, tmp_path: Path, screen: str
) -> None:
    page = open_page(address, expected=_REFUSED, permissions=["camera"], **SCREENS[screen])
    (tmp_path / "notes.mp4").write_text("not a video at all")
    long_name = "a recording with a very long name IMG_20261124_184022_HDR_final.mp4"
    page.set_input_files("#file", [clip(tmp_path / "short.mp4"), tmp_path / "notes.mp4"])
    expect_state(page, "short.mp4", "Accepted")
    Line(page).limit(20_000)
    page.set_input_files("#file", [clip(tmp_path / name, 2_000_000) for name in (long_name, "paused.mp4", "third.mp4")])
    page.get_by_role("button", name="Pause: paused.mp4").click()
    expect_state(page, long_name, "Sending")
    page.locator(".settings summary").click()
    page.fill("#clip-start", "never")
    page.locator("#clip-start").blur()
    page.get_by_role("button", name="Record with the camera").click()
    page.get_by_role("button", name="Start recording").click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]
