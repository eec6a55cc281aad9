"""The list in the browser: found, chosen, downloaded and deleted, by mouse and keyboard, without a new page."""

import zipfile

import pandas as pd
import pytest
from playwright.sync_api import expect

from emotion_timeline.db import videos, work
from tests.browser.conftest import Opener, assert_accessible
from tests.browser.test_pages import SCREENS
from tests.website import TWO_FACES, Website


def fill(site: Website) -> None:
    """A video in every state."""
    site.done(TWO_FACES, "done", filename="talk.mp4")
    site.failed("failed", filename="a long name of a recording that was made in a garden 2025-07-12 18.33.21.mp4")
    site.queued("queued", filename="waiting.mp4")
    site.planned(site.queued("running", filename="running.mp4"), range(20))
    with site.database.write() as session:
        videos.cancel(session, site.queued("cancelled", filename="cancelled.mp4"))


def test_many_are_chosen_and_downloaded_as_one_zip(site: Website, address: str, open_page: Opener) -> None:
    site.done(TWO_FACES, "a", filename="talk.mp4")
    site.done(TWO_FACES, "b", filename="talk.mov")
    site.failed("c")
    page = open_page(address, **SCREENS["desktop"])
    page.get_by_label("Choose all on this page").check()
    expect(page.locator("#chosen")).to_have_text("3 chosen")
    with page.expect_download() as download:
        page.locator("#selection [data-does=zip]").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["talk (2).csv", "talk (2).json", "talk.csv", "talk.json"]
        with archive.open("talk (2).csv") as file:
            assert len(pd.read_csv(file)) == 6
    page.get_by_label("Choose talk.mov").uncheck()
    expect(page.locator("#chosen")).to_have_text("2 chosen")
    assert page.evaluate("document.getElementById('pick-all').indeterminate")


def test_deleting_is_confirmed_by_keyboard(site: Website, address: str, open_page: Opener) -> None:
    site.failed("a", filename="first.mp4")
    site.failed("b", filename="second.mp4")
    page = open_page(address, **SCREENS["desktop"])
    page.get_by_label("Choose first.mp4").press("Space")
    page.locator("#selection [data-does=delete]").press("Enter")
    expect(page.locator("#confirm-text")).to_have_text("first.mp4")
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    expect(page.locator(".row")).to_have_count(2)
    page.locator("#selection [data-does=delete]").press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Delete for good")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#report")).to_have_text("1 video was deleted.")
    expect(page.locator("#row-a")).to_have_count(0)
    expect(page.locator("#row-b")).to_be_visible()
    expect(page.locator("#list-title")).to_be_focused()
    assert site.files() == ["b"]


def test_progress_appears_by_itself_and_leaves_choice_and_focus(site: Website, address: str, open_page: Opener) -> None:
    segment_id = site.planned(site.queued("v", filename="running.mp4"), range(20))
    page = open_page(address, **SCREENS["desktop"])
    page.evaluate("window.same = true")
    box = page.get_by_label("Choose running.mp4")
    box.check()
    box.focus()
    with site.database.write() as session:
        claimed = work.claim_segment(session, segment_id, 600, 3)
        assert claimed is not None
    with site.database.write() as session:
        work.renew(session, claimed[0], 600, frames_done=5)
    expect(page.locator("#row-v")).to_contain_text("25 %")
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    page.locator("#cancel-v").click()
    expect(page.locator("#report")).to_have_text("1 video was cancelled.")
    expect(page.locator("#row-v .state")).to_have_text("Cancelled")
    assert page.evaluate("window.same"), "the page was never loaded again"


def test_a_search_stays_in_the_address(site: Website, address: str, open_page: Opener) -> None:
    fill(site)
    page = open_page(address, **SCREENS["desktop"])
    page.evaluate("window.same = true")
    page.locator("#find-name").fill("ED.mp4")
    expect(page.locator(".row")).to_have_count(1)
    expect(page).to_have_url(f"{address}/?q=ED.mp4")
    page.locator("#find-state").select_option("failed")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    assert page.evaluate("window.same")
    page.reload()
    expect(page.locator("#find-name")).to_have_value("ED.mp4")
    page.get_by_role("link", name="Show all videos").click()
    expect(page.locator(".row")).to_have_count(5)
    expect(page.locator("#find-name")).to_have_value("")
    page.go_back()
    expect(page.get_by_text("Nothing found")).to_be_visible()


def test_the_list_says_when_the_server_is_away_and_recovers(site: Website, address: str, open_page: Opener) -> None:
    site.queued()  # waits, so it is looked at often
    page = open_page(address, expected=["net::ERR_INTERNET_DISCONNECTED"])
    expect(page.locator(".row")).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator("#away")).to_contain_text("The server can't be reached.")
    expect(page.locator("#list.stale .row")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#away")).to_be_hidden()
    expect(page.locator("#list.stale")).to_have_count(0)


def test_everything_works_without_javascript(site: Website, address: str, open_page: Opener) -> None:
    fill(site)
    page = open_page(f"{address}/?sort=name", java_script_enabled=False)
    page.get_by_label("Choose cancelled.mp4").check()
    page.get_by_label("Choose talk.mp4").check()
    page.locator("#selection [data-does=retry]").click()
    expect(page.locator("#report")).to_contain_text("1 video was put into the queue again.")
    expect(page.locator("#report")).to_contain_text("Nothing was done with talk.mp4.")
    page.get_by_label("Choose talk.mp4").check()
    page.locator("#selection [data-does=delete]").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#report")).to_contain_text("1 video was deleted.")
    expect(page.locator("#find-sort")).to_have_value("name")


@pytest.mark.parametrize("screen", SCREENS)
def test_the_list_is_accessible_and_fits_the_screen(
    site: Website, address: str, open_page: Opener, screen: str
) -> None:
    fill(site)
    page = open_page(address, **SCREENS[screen])
    assert_accessible(page)
    page.get_by_label("Choose all on this page").check()
    expect(page.locator("#chosen")).to_have_text("5 chosen")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]
    page.locator("#selection [data-does=delete]").click()
    expect(page.locator("#confirm")).to_be_visible()
    assert_accessible(page)
