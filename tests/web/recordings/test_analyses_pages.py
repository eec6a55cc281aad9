"""Pages of a recording that is analysed more than once: each analysis is shown with the others."""

import re

from tests.website import HAPPY, SAME_RECORDING, TWO_FACES, Website, observations, text_of

ONE_FACE = observations({0: [(0, HAPPY)]})


def test_page_offers_the_network_that_is_served_now(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    page = site.client.get("/videos/v").text
    assert "Analyse again with paper-test" in text_of(page)
    assert 'action="/videos/v/reanalyze" method="post"' in page
    response = site.client.post("/videos/v/reanalyze")
    assert response.status_code == 303
    made = site.client.get(response.headers["Location"]).text
    assert "1st in the queue" in made
    for shown_page in (made, site.client.get("/videos/v").text):
        assert "Analyse again" not in shown_page, "it is being done"
    again = site.client.post("/videos/v/reanalyze")
    assert again.headers["Location"] == response.headers["Location"] + "?again=1"
    assert "was uploaded before" in site.client.get(again.headers["Location"]).text


def test_page_offers_nothing_when_the_network_has_done_it_at_this_rate(site: Website) -> None:
    site.serve("paper-2")
    site.done(TWO_FACES, **SAME_RECORDING)
    site.done(TWO_FACES, "w", model_version="paper-2", **SAME_RECORDING)
    site.done(ONE_FACE, "other rate", sample_hz=1.0, **SAME_RECORDING)
    site.done(ONE_FACE, "other clip", clip_end_s=1.0, **SAME_RECORDING)
    assert "Analyse again" not in site.client.get("/videos/v").text
    for name in ("other rate", "other clip"):
        assert "Analyse again with paper-2" in text_of(site.client.get(f"/videos/{name}").text)


def test_page_of_a_single_analysis_by_the_present_network_has_no_panel(site: Website) -> None:
    site.done(TWO_FACES, model_version="paper-test")
    page = site.client.get("/videos/v").text
    assert "Analyses of this recording" not in page
    assert "Compare with" not in page
    assert "paper-test" not in site.client.get("/").text


def test_page_can_be_seen_when_the_served_network_is_away(site: Website) -> None:
    site.done(TWO_FACES)
    (site.settings.model_dir / "metadata.json").unlink()
    page = site.client.get("/videos/v")
    assert page.status_code == 200
    assert "Analyse again" not in page.text


def test_page_shows_all_analyses_and_compares_the_done_ones(site: Website) -> None:
    site.done(TWO_FACES, "a", model_version="paper-1", **SAME_RECORDING)
    site.done(TWO_FACES, "b", model_version="paper-2", **SAME_RECORDING)
    site.done(ONE_FACE, "c", model_version="paper-2", sample_hz=5.0, **SAME_RECORDING)
    site.failed("d", model_version="paper-3", **SAME_RECORDING)
    page = site.client.get("/videos/a").text
    choice = page.partition('id="compare"')[2].partition("</select>")[0]
    assert re.findall(r'<option value="([^"]*)">([^<]+)', choice) == [
        ("/api/v1/videos/b/chart.json", "paper-2, every frame"),  # the same rate first
        ("/api/v1/videos/c/chart.json", "paper-2, 5 per second"),
        ("", "no other analysis"),
    ]
    fragment = site.client.get("/videos/a/analyses").text
    assert text_of(fragment) in text_of(page)
    names = re.findall(r"paper-\d", text_of(fragment))
    assert names == ["paper-3", "paper-2", "paper-2", "paper-1"]
    for words in ("Failed", "5 per second", "paper-1 this page", "UTC"):
        assert words in text_of(fragment)
    for other in "bcd":
        assert f'href="/videos/{other}"' in fragment
    assert 'href="/videos/a"' not in fragment
    assert fragment.count("timeline.csv") == 3, "also without JavaScript every timeline is at hand"
    assert all(" id=" in tag for tag in re.findall(r"<(?:a|button)\s[^>]*>", fragment)), "to find the focus again"
    assert 'data-active="no"' in fragment
    site.queued("e", model_version="paper-4", **SAME_RECORDING)
    assert 'data-active="yes"' in site.client.get("/videos/a/analyses").text


def test_list_tells_analyses_of_one_recording_apart(site: Website) -> None:
    site.done(TWO_FACES, "a", model_version="paper-1", **SAME_RECORDING)
    site.done(ONE_FACE, "b", model_version="paper-2", sample_hz=5.0, **SAME_RECORDING)
    site.done(TWO_FACES, "alone", model_version="paper-9")
    read = text_of(site.client.get("/").text)
    assert "paper-1, every frame" in read
    assert "paper-2, 5 per second" in read
    assert "paper-9" not in read


def test_deleting_says_what_is_kept(site: Website) -> None:
    site.done(TWO_FACES, **SAME_RECORDING)
    assert "deletes the recording" in text_of(site.client.get("/videos/v").text)
    site.client.post("/videos/v/reanalyze")
    read = text_of(site.client.get("/videos/v").text)
    assert "deletes this analysis" in read
    assert "keeps the recording with its notes and its other analysis" in read
