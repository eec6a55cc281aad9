"""The upload card: what people drop, choose or record arrives whole, and what is refused says why."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from emotion_timeline.db import videos
from tests.browser.conftest import Opener, assert_accessible
from tests.browser.test_pages import SCREENS
from tests.browser.uploading import (
    PATIENCE_MS,
    REFUSED,
    Line,
    clip,
    drop,
    expect_state,
    row,
    video,
    wait_for_share,
)
from tests.services import Service
from tests.website import Website


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
        re.compile(r"^[\d.]+ [kM]B of 2\.0 MB · [\d.]+ [kM]B/s · about .+ left$"), timeout=PATIENCE_MS
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
    page = open_page(address, expected=REFUSED)
    (tmp_path / "notes.mp4").write_text("not a video at all")
    (tmp_path / "empty.mp4").touch()
    page.set_input_files("#file", [clip(tmp_path / "first.mp4"), tmp_path / "notes.mp4", tmp_path / "empty.mp4"])
    expect_state(page, "empty.mp4", "Refused")
    expect(row(page, "empty.mp4")).to_contain_text("The file is empty or")
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
      const { readClock } = await import("/static/http/quantities.js");
      return texts.map(readClock).map((seconds) => Number.isNaN(seconds) ? null : seconds);
    }"""
    page = open_page(address)
    assert page.evaluate(script, [*times, *no_times]) == [*times.values(), *[None] * len(no_times)]
    script = """async (seconds) => seconds.map((await import("/static/http/quantities.js")).clock)"""
    assert page.evaluate(script, [0, 7.5, 59.9999, 750, 3723]) == ["0:00", "0:07.5", "1:00", "12:30", "1:02:03"]


def test_camera_recording_is_accepted(site: Website, address: str, open_page: Opener) -> None:
    page = open_page(address, permissions=["camera", "microphone"])
    page.get_by_role("button", name="Record with the camera").click()
    page.get_by_role("button", name="Start recording").click()
    expect(page.locator("#camera-clock")).to_have_text("0:02", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Stop recording").click()
    name = page.locator("#queue-rows .name")
    expect(name).to_have_text(re.compile(r"^Camera \d{4}-\d\d-\d\d \d\d-\d\d\.webm$"))
    expect(page.locator("#queue-rows .state")).to_have_text("Accepted", timeout=PATIENCE_MS)
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
    page = open_page(address, expected=REFUSED, permissions=["camera"], **SCREENS[screen])
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
