"""Exports and quality in a browser: every file is had by a click and read back."""

import json
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.dictionary import EXPORTS
from tests.browser.conftest import Opener, assert_accessible
from tests.browser.test_pages import SCREENS
from tests.website import HAPPY, NEUTRAL, Website, observations

ROWS = observations(
    {frame: [(0, HAPPY), (1, NEUTRAL)] if frame < 9 else [] if frame < 14 else [(0, HAPPY)] for frame in range(20)}
)
ROW_COUNTS = {
    "timeline.csv": 29, "timeline-excel.csv": 29, "timeline-long.csv": 24 * 7 + 5, "per-second.csv": 5,
    "per-face.csv": 2, "timeline.parquet": 29, "notes.csv": 1,
}  # fmt: skip


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def test_every_file_is_downloaded_by_a_click_and_read_back(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    site.done(ROWS, filename="talk.mov")
    site.client.post("/api/v1/videos/v/notes", json={"start_s": 0, "text": "task 1"})
    page = open_page(f"{address}/videos/v")
    for export in EXPORTS:
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download: {export.title}, {export.kind}").click()
        assert download.value.suggested_filename == f"talk{export.suffix}"
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        if export.kind == "JSON":
            assert tuple(json.loads(path.read_text(encoding="utf-8"))) == export.header
            continue
        table = read(path)
        assert tuple(table.columns) == export.header
        assert len(table) == ROW_COUNTS[export.name]
    means = pd.read_csv(tmp_path / "talk-per-second.csv")
    first = means[(means["second"] == 0) & (means["face_id"] == 1)]
    assert first[list(EMOTIONS)].to_numpy()[0] == pytest.approx(HAPPY, abs=1e-6)


def test_hidden_faces_are_offered_as_soon_as_one_is_hidden(
    site: Website, address: str, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(f"{address}/videos/{site.done(ROWS)}")
    link = page.get_by_role("link", name="Download with hidden faces: Summary per face, CSV")
    expect(page.get_by_role("link", name="Download: Summary per face, CSV")).to_be_visible()
    expect(link).to_be_hidden()
    site.client.patch("/api/v1/videos/v/faces/2", json={"hidden": True})
    page.evaluate("async () => (await import('/static/timeline/playhead.js')).playhead.changed()")
    for name, faces in (("Download", [1]), ("Download with hidden faces", [1, 2])):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"{name}: Summary per face, CSV").click()
        download.value.save_as(tmp_path / "faces.csv")
        assert pd.read_csv(tmp_path / "faces.csv")["face_id"].tolist() == faces


def test_band_and_list_lead_to_the_moment(site: Website, address: str, open_page: Opener) -> None:
    page = open_page(f"{address}/videos/{site.done(ROWS)}")
    script = "async () => (await import('/static/timeline/playhead.js')).playhead.timestampS"
    page.get_by_role("button", name="Go to 0:01").click()
    assert page.evaluate(script) == 1.0
    box = page.locator(".band").bounding_box()
    assert box
    page.locator(".band").click(position={"x": box["width"] * 0.75, "y": 5})
    assert page.evaluate(script) == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("screen", SCREENS)
def test_opened_dictionaries_are_accessible_and_fit_the_screen(
    site: Website, address: str, open_page: Opener, screen: str
) -> None:
    page = open_page(f"{address}/videos/{site.done(ROWS)}", **SCREENS[screen])
    for summary in page.locator("#exports summary").all():
        summary.click()
    expect(page.get_by_text("the face detector's score, 0-1; not the emotion's").first).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]
