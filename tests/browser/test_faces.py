"""Faces and moments in the browser: named, merged, split and hidden by mouse and by keyboard, without a new page."""

from playwright.sync_api import expect

from tests.browser.conftest import Opener, assert_accessible
from tests.browser.test_pages import SCREENS
from tests.web.faces.test_faces import CROWD, THREE
from tests.website import Website


def test_faces_are_changed_by_mouse_and_stay_so(site: Website, address: str, open_page: Opener) -> None:
    site.done(THREE)
    page = open_page(f"{address}/videos/v", **SCREENS["desktop"])
    page.evaluate("window.same = true")
    said = page.locator("#faces-said")

    page.get_by_label("Rename Face 1").click()
    page.get_by_label("Name of this face").locator("visible=true").fill("Anna")
    page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    expect(said).to_have_text("Face 1 is called Anna now.")
    expect(page.locator("#face-1 h3")).to_have_text("Anna face 1")
    expect(page.locator("#face-1")).to_be_focused()

    page.get_by_label("Merge Face 3 into another face").click()
    page.locator("#into-3").select_option("1")
    page.get_by_role("button", name="Merge", exact=True).locator("visible=true").click()
    expect(said).to_have_text("Face 3 counts as Anna now.")
    expect(page.locator("#face-3")).to_have_count(0)
    expect(page.locator("#face-1")).to_contain_text("with face 3")

    page.get_by_label("Hide Face 2").click()
    expect(said).to_have_text("Face 2 is hidden.")
    expect(page.get_by_text("1 hidden face")).to_be_focused()
    expect(page.locator("#face-2")).to_be_hidden()
    expect(page.locator("#moments-neutral")).to_have_count(0)
    assert_accessible(page)

    page.reload()
    assert page.evaluate("window.same") is None, "the page was new for the first time now"
    expect(page.locator("#face-1")).to_contain_text("with face 3")
    page.get_by_label("Split off again: face 3").click()
    expect(page.locator("#face-3")).to_be_focused()
    page.get_by_text("1 hidden face").click()
    page.get_by_label("Show again: Face 2").click()
    expect(page.locator("#face-2")).to_be_focused()
    expect(page.locator("#hidden-faces")).to_have_count(0)
    expect(page.locator("#moments-neutral")).to_be_visible()


def test_faces_are_changed_by_keyboard(site: Website, address: str, open_page: Opener) -> None:
    site.done(THREE)
    page = open_page(f"{address}/videos/v", **SCREENS["desktop"])
    rename, field = page.get_by_label("Rename Face 2"), page.locator("#name-2")

    rename.press("Enter")
    expect(field).to_be_focused()
    field.fill("Ben")
    field.press("Escape")
    expect(rename).to_be_focused()
    expect(field).to_be_hidden()
    assert field.input_value() == ""

    rename.press("Enter")
    field.fill("a" * 100)  # as long as can be
    field.press("Enter")
    expect(page.locator("#face-2 h3 bdi")).to_have_text("a" * 100)
    page.locator("#rename-2").press("Enter")
    page.locator("#name-2").fill("Ben")
    page.locator("#name-2").press("Enter")
    expect(page.locator("#face-2 h3")).to_have_text("Ben face 2")

    page.locator("#merge-2").press("Enter")
    choice = page.locator("#into-2")
    expect(choice).to_be_focused()
    choice.press("ArrowDown")  # the second of the two others
    assert choice.input_value() == "3"
    choice.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#face-3")).to_contain_text("with face 2")
    page.locator("#split-2").press("Enter")
    expect(page.locator("#face-2 h3")).to_have_text("Ben face 2")
    page.locator("#hide-2").press("Enter")
    expect(page.get_by_text("1 hidden face")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#show-2").press("Enter")
    expect(page.locator("#face-2")).to_be_focused()
    body = site.client.get("/api/v1/videos/v/faces").get_json()
    assert [(face["name"], face["merged"], face["hidden"]) for face in body["faces"]] == [
        (None, [], False), ("Ben", [], False), (None, [], False),
    ]  # fmt: skip


def test_what_is_refused_is_told_beside_the_field(site: Website, address: str, open_page: Opener) -> None:
    site.done(CROWD)
    page = open_page(f"{address}/videos/v", expected=["status of 409", "status of 400"], **SCREENS["desktop"])
    page.locator("#merge-1").click()
    field = page.locator("#into-1")
    expect(field).to_be_focused()
    with page.expect_response("**/faces/1") as refused:
        field.fill("1")
        field.press("Enter")
    assert refused.value.status == 409
    expect(page.get_by_role("alert")).to_have_text("Face 1 can't be merged into itself; choose another face.")
    field.fill("Anna")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("the number of another face")
    field.fill("7")
    field.press("Enter")
    expect(page.locator("#face-7")).to_contain_text("with face 1")
    expect(page.locator("#faces-said")).to_have_text("Face 1 counts as Face 7 now.")
    page.locator("#merge-7").click()
    page.locator("#into-7").fill("7")
    page.locator("#into-7").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Face 7 can't be merged into itself; choose another face.")
    expect(page.locator("#faces-said")).to_be_empty()


def test_the_face_that_is_looked_at_is_marked(site: Website, address: str, open_page: Opener) -> None:
    site.done(THREE)
    page = open_page(f"{address}/videos/v", **SCREENS["desktop"])
    page.get_by_label("Look at Face 2").click()
    expect(page.get_by_label("Look at Face 2")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Look at Face 1")).to_have_attribute("aria-pressed", "false")
    playhead = "async () => (await import('/static/timeline/playhead.js')).playhead"
    assert page.evaluate(f"async () => (await ({playhead})()).faceId") == 2
    page.locator("#look-2").press("Tab")  # a change leaves it as it is
    page.get_by_label("Hide Face 3").click()
    expect(page.locator("#faces-said")).to_have_text("Face 3 is hidden.")
    expect(page.get_by_label("Look at Face 2")).to_have_attribute("aria-pressed", "true")


def test_a_moment_is_gone_to_by_click_enter_and_link(site: Website, address: str, open_page: Opener) -> None:
    site.done(THREE)
    page = open_page(f"{address}/videos/v", **SCREENS["desktop"])
    position = """async () => {
      const { playhead } = await import("/static/timeline/playhead.js");
      return [playhead.timestampS, playhead.faceId];
    }"""
    page.locator("#moment-happy-34").click()
    assert page.evaluate(position) == [3.4, 3]
    page.locator("#moment-neutral-0").press("Enter")
    assert page.evaluate(position) == [0, 2]
    link = page.locator("#moment-happy-34").get_attribute("href")
    assert link == "/videos/v?t=3.4"
    page = open_page(address + link, **SCREENS["desktop"])
    page.wait_for_function(f"async () => (await ({position})())[0] === 3.4")


def test_everything_works_without_javascript(site: Website, address: str, open_page: Opener) -> None:
    site.done(THREE)
    page = open_page(f"{address}/videos/v", java_script_enabled=False)
    expect(page.locator("#look-1")).to_be_hidden()
    page.locator("#rename-1").click()
    page.locator("#name-1").fill("Anna")
    page.locator("#name-1").press("Enter")
    expect(page.locator("#face-1 h3")).to_have_text("Anna face 1")
    assert page.url == f"{address}/videos/v#face-1"
    page.locator("#merge-3").click()
    page.locator("#into-3").select_option("1")
    page.get_by_role("button", name="Merge", exact=True).locator("visible=true").click()
    expect(page.locator("#face-1")).to_contain_text("with face 3")
    page.locator("#split-3").click()
    expect(page.locator("#face-3")).to_be_visible()


def test_a_crowd_stays_usable_on_every_screen(site: Website, address: str, open_page: Opener) -> None:
    site.done(CROWD)
    for options in SCREENS.values():
        page = open_page(f"{address}/videos/v", **options)
        expect(page.locator("#face-2")).to_be_hidden()
        page.get_by_text("30 short appearances").click()
        page.locator("#merge-2").click()
        expect(page.locator("#into-2")).to_be_focused()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
