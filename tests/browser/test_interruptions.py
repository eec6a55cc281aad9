"""Uploads that are paused, cut off, cancelled or left: what is wanted is not lost, what is not leaves nothing."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Opener
from tests.browser.uploading import (
    CUT,
    DAM_BYTES,
    LONG_BYTES,
    Line,
    answer,
    clip,
    expect_state,
    offsets,
    reopen,
    row,
    share,
    video,
    wait_for_flood,
    wait_for_share,
)
from tests.proxies import Dam
from tests.services import Service, wait_until
from tests.website import Website


@pytest.fixture
def dam(address: str) -> Iterator[Dam]:
    """Between the browser and the service: what is sent stays in it, but for the first bytes."""
    made = Dam(int(address.rpartition(":")[2]), DAM_BYTES)
    with made.running():
        yield made


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
    page = open_page(f"http://127.0.0.1:{dam.port}", expected=CUT)
    sent = offsets(page)
    page.set_input_files("#file", clip(tmp_path / "long.mp4", LONG_BYTES))
    came = wait_for_flood(site)
    wait_for_share(page, "long.mp4", came / LONG_BYTES)
    dam.cut()
    expect_state(page, "long.mp4", "No connection")
    expect(row(page, "long.mp4")).to_contain_text("The connection was lost. Next try in")
    assert share(page, "long.mp4") >= came / LONG_BYTES
    dam.open()
    expect_state(page, "long.mp4", "Accepted")
    assert sent[0] == 0
    assert came <= sent[1] <= DAM_BYTES
    recording = site.settings.recording(video(site, page, "long.mp4")["id"])
    assert recording.read_bytes() == (tmp_path / "long.mp4").read_bytes()


def test_closed_page_goes_on_when_the_file_is_chosen_again(
    site: Website, dam: Dam, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(f"http://127.0.0.1:{dam.port}")
    path = clip(tmp_path / "long.mp4", LONG_BYTES)
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
    assert came <= share(other, "long.mp4") * LONG_BYTES <= DAM_BYTES
    sent = offsets(other)
    with other.expect_file_chooser() as chooser:
        other.get_by_role("button", name="Choose the file again: long.mp4").click()
    chooser.value.set_files(clip(tmp_path / "another.mp4"))
    expect(row(other, "long.mp4")).to_contain_text("another.mp4 is another file. Choose long.mp4")
    other.set_input_files("#file", path)
    expect_state(other, "long.mp4", "Accepted")
    assert came <= sent[0] <= DAM_BYTES
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
    path = clip(tmp_path / "long.mp4", LONG_BYTES)
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
    assert came <= sent[0] <= DAM_BYTES


def test_upload_that_is_cancelled_before_the_server_has_told_of_it_takes_no_other_with_it(
    address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address, expected=("status of 404",))
    Line(page).limit()
    page.set_input_files("#file", clip(tmp_path / "long.mp4", 2_000_000))
    wait_for_share(page, "long.mp4", 0.05)
    page.get_by_role("button", name="Pause: long.mp4").click()
    asked: list[Route] = []

    def hold_the_first_question(route: Route) -> None:
        if asked:
            route.continue_()
        else:
            asked.append(route)

    page.route("**/api/v1/uploads/*", hold_the_first_question)
    page.reload()
    expect_state(page, "long.mp4", "Interrupted")
    page.set_input_files("#file", clip(tmp_path / "short.mp4"))
    expect_state(page, "short.mp4", "Accepted")
    page.get_by_role("button", name="Cancel: long.mp4").click()
    expect(row(page, "long.mp4")).to_have_count(0)
    with page.expect_response(lambda response: response.status == 404):
        asked[0].fulfill(status=404, json={"status": 404, "detail": "There is no such upload."})
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.locator("#queue-total")).to_have_text("1 of 1 finished")
    expect(row(page, "short.mp4")).to_be_visible()


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
            page = open_page(address, expected=("status of 507", *CUT))
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


def test_upload_whose_beginning_was_not_answered_is_begun_once(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(address, expected=CUT)
    begun: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        answered = route.fetch()
        begun.append(answered.status)
        if len(begun) == 1:
            route.abort()
        else:
            route.fulfill(response=answered)

    page.route("**/api/v1/uploads", lose_the_first_answer)
    page.set_input_files("#file", clip(tmp_path / "talk.mp4"))
    expect_state(page, "talk.mp4", "Accepted")
    assert begun == [201, 201]
    assert len(site.files()) == 1, "the recording, and no second upload that nobody sends"
