"""Notes in a browser: marked at the playhead, listed, changed in place, deleted and brought back."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, assert_accessible
from tests.browser.test_pages import SCREENS
from tests.website import HAPPY, Website, observations

ROWS = observations({frame: [(0, HAPPY)] for frame in range(20)})


def stored(site: Website) -> list[tuple[Any, ...]]:
    notes = site.client.get("/api/v1/videos/v/notes").get_json()["notes"]
    return [(note["start_s"], note["end_s"], note["text"]) for note in notes]


def seek(page: Page, timestamp_s: float) -> None:
    """As a click in the chart does."""
    script = "async s => (await import('/static/timeline/playhead.js')).playhead.seek(s)"
    page.evaluate(script, timestamp_s)


def test_notes_are_marked_at_the_playhead_and_told_to_the_chart(site: Website, address: str, open_page: Opener) -> None:
    page = open_page(f"{address}/videos/{site.done(ROWS)}")
    page.evaluate(
        """async () => {
          const { playhead } = await import("/static/timeline/playhead.js");
          window.told = [];
          playhead.addEventListener("notes", () => window.told.push(playhead.notes));
        }"""
    )
    seek(page, 0.25)
    page.get_by_role("button", name="Mark start").click()
    expect(page.locator("#note-start")).to_have_value("0:00.25")
    seek(page, 1.5)
    page.get_by_role("button", name="Mark end").click()
    expect(page.locator("#note-end")).to_have_value("0:01.5")
    page.locator("#note-text").fill("task <1>")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#notes-list li")).to_have_count(1)
    expect(page.locator(".note-text")).to_have_text("task <1>")
    expect(page.locator("#notes-news")).to_have_text("The note was added.")
    expect(page.locator("#note-text")).to_have_value("")
    assert stored(site) == [(0.25, 1.5, "task <1>")]
    task = {"start_s": 0.25, "end_s": 1.5, "text": "task <1>"}
    assert page.evaluate("window.told") == [[task]]
    page.locator("#note-start").fill("1.75")
    page.locator("#note-text").fill("the bell")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#notes-list li")).to_have_count(2)
    assert page.evaluate("window.told.at(-1)") == [task, {"start_s": 1.75, "end_s": None, "text": "the bell"}]

    page.reload()
    script = "async () => (await import('/static/timeline/playhead.js')).playhead"
    page.get_by_role("button", name="Go to 0:00.25").click()
    assert page.evaluate(f"({script})().then((p) => p.timestampS)") == 0.25
    assert page.evaluate(f"({script})().then((p) => p.notes.length)") == 2


def test_times_are_typed_and_what_is_wrong_is_said_beside_the_form(
    site: Website, address: str, open_page: Opener
) -> None:
    page = open_page(f"{address}/videos/{site.done(ROWS)}", expected=["status of 400"])
    page.locator("#note-start").fill("9:00")
    page.locator("#note-text").fill("too late")
    page.get_by_role("button", name="Add the note").click()
    refusal = page.locator("#note-form .refusal")
    expect(refusal).to_have_text("The start was expected to lie in the recording, from 0 to 2 seconds, but is 540.")
    page.locator("#note-start").fill("soon")
    page.get_by_role("button", name="Add the note").click()
    expect(refusal).to_contain_text("but is 'soon'")
    assert_accessible(page)
    page.locator("#note-start").fill("1,25")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#notes-list li")).to_have_count(1)
    expect(refusal).to_be_hidden()
    expect(page.locator("#notes-news")).to_have_text("The note was added.")
    page.locator("#note-start").fill("9:00")
    page.locator("#note-text").fill("too late as well")
    page.get_by_role("button", name="Add the note").click()
    expect(refusal).to_contain_text("but is 540")
    expect(page.locator("#notes-news")).to_be_empty()
    page.get_by_label("Edit the note at 0:01.25").click()
    page.locator("#notes-list").get_by_role("button", name="Save").click()
    expect(page.locator("#notes-news")).to_have_text("The note was changed.")
    expect(refusal).to_be_hidden()
    assert stored(site) == [(1.25, None, "too late")]


def test_a_note_is_changed_deleted_and_brought_back(site: Website, address: str, open_page: Opener) -> None:
    site.done(ROWS)
    for start_s, text in ((0.5, "first"), (1.0, "second")):
        site.client.post("/api/v1/videos/v/notes", json={"start_s": start_s, "text": text})
    page = open_page(f"{address}/videos/v")
    page.get_by_label("Edit the note at 0:00.5").click()
    first = page.locator("#notes-list li").first
    first.get_by_role("textbox", name="Note").fill("last\nof all")
    first.get_by_role("textbox", name="Start").fill("0:01.75")
    first.get_by_role("button", name="Save").click()
    expect(page.locator(".note-text").last).to_have_text("last\nof all")
    expect(page.get_by_role("button", name="Go to 0:01.75")).to_be_focused()
    assert stored(site) == [(1.0, None, "second"), (1.75, None, "last\nof all")]

    page.get_by_label("Edit the note at 0:01.75").click()
    page.locator("#notes-list li").last.get_by_role("button", name="Delete").click()
    expect(page.locator("#notes-list li")).to_have_count(1)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    assert stored(site) == [(1.0, None, "second")]
    page.keyboard.press("Enter")
    expect(page.locator("#notes-list li")).to_have_count(2)
    expect(page.locator("#notes-news")).to_have_text("The note is back.")
    assert stored(site) == [(1.0, None, "second"), (1.75, None, "last\nof all")]


def test_notes_work_without_javascript(site: Website, address: str, open_page: Opener) -> None:
    page = open_page(f"{address}/videos/{site.done(ROWS)}", java_script_enabled=False)
    page.locator("#note-start").fill("0:01")
    page.locator("#note-text").fill("by form")
    page.get_by_role("button", name="Add the note").click()
    page.get_by_label("Edit the note at 0:01").click()
    page.locator("#notes-list").get_by_label("End, for a stretch").fill("1.5")
    page.get_by_role("button", name="Save").click()
    assert stored(site) == [(1.0, 1.5, "by form")]
    page.get_by_label("Edit the note at 0:01").click()
    page.get_by_role("button", name="Delete").first.click()
    expect(page.locator("#no-notes")).to_be_visible()
    assert stored(site) == []


@pytest.mark.parametrize("screen", SCREENS)
def test_notes_are_accessible_and_fit_the_screen(site: Website, address: str, open_page: Opener, screen: str) -> None:
    site.done(ROWS)
    for text in ("x" * 200, "A sentence about what happens here, in some more words.\nAnd a second line."):
        site.client.post("/api/v1/videos/v/notes", json={"start_s": 0.125, "end_s": 1.875, "text": text})
    page = open_page(f"{address}/videos/v", **SCREENS[screen])
    page.locator("summary", has_text="Edit").first.click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]
