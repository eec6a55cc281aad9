"""The chart as files: what is saved of it in a real browser, and when it can be."""

import re
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from playwright.sync_api import expect

from emotion_timeline.db import videos
from emotion_timeline.emotions import EMOTIONS
from tests.browser.charts import add, drawn, with_a_gap
from tests.browser.conftest import Opener
from tests.website import Website

CHART_DATA = re.compile(r"/api/.*/chart\b")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_saved_files_are_the_chart_on_paper(
    site: Website, address: str, open_page: Opener, tmp_path: Path, scheme: str
) -> None:
    add(site, with_a_gap(), filename="a <b> & c.mp4")
    page = drawn(open_page(f"{address}/videos/v", color_scheme=scheme))
    with page.expect_download() as download:
        page.locator("#save-svg").click()
    assert download.value.suggested_filename.endswith("-face-1.svg")
    download.value.save_as(tmp_path / "chart.svg")
    root = ElementTree.parse(tmp_path / "chart.svg").getroot()
    lines = {path.get("class"): path for path in root.iter(f"{SVG}path") if path.get("class")}
    assert set(lines) == set(EMOTIONS)
    assert all((path.get("d") or "").count("M") == 2 for path in lines.values()), "one gap, two strokes"
    assert lines["neutral"].get("stroke") == "#7a808b", "the light theme's"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "a <b> & c.mp4" in texts
    assert any("Face 1, 0:00.0 to 0:20.0, network paper-1" in (text or "") for text in texts)
    assert {"100 %", "0:10", *EMOTIONS} <= set(texts)
    page.locator('.emotion[data-emotion="fear"]').click()
    with page.expect_download() as download:
        page.locator("#save-png").click()
    download.value.save_as(tmp_path / "chart.png")
    head = (tmp_path / "chart.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (float(side or 0) for side in (root.get("width"), root.get("height")))
    assert struct.unpack(">II", head[16:24]) == (2 * width, 2 * height)


def test_cuts_are_ticks_and_the_key_says_so(site: Website, address: str, open_page: Opener) -> None:
    add(site, with_a_gap())
    page = open_page(f"{address}/videos/v")
    expect(page.locator("#chart-note")).to_contain_text("Whole recording.")
    expect(page.locator("#cuts-key")).to_be_hidden()
    with site.database.write() as session:
        video = videos.get(session, "v")
        video.summary = (video.summary or {}) | {"shots": [[0, 0.0], [50, 5.0], [150, 15.0]]}
    page = open_page(f"{address}/videos/v")
    expect(page.locator("#cuts-key")).to_have_text("cut to another shot")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the chart as SVG").click()
    (ticks,) = [
        path for path in ElementTree.parse(download.value.path()).iter(f"{SVG}path") if path.get("class") == "cuts"
    ]
    assert ticks.get("d", "").count("M") == 2


def test_nothing_is_offered_before_the_chart_is_there(site: Website, address: str, open_page: Opener) -> None:
    page = open_page(address)
    page.route(CHART_DATA, lambda _: None)
    page.goto(f"{address}/videos/{add(site, with_a_gap())}")
    for name in ("Save the chart as SVG", "Zoom in", "happy"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Download: Chart, SVG")).to_be_hidden()
    page.unroute(CHART_DATA)  # what it held goes on
    with page.expect_download() as download:
        page.get_by_role("button", name="Download: Chart, SVG").click()
    assert download.value.suggested_filename == "session 7-face-1.svg"
