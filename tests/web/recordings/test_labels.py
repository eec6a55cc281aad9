"""Whose labels are asked for, by every way into the service, and shown on its pages."""

import json
import re
from base64 import b64encode
from typing import Any

import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import ModelError
from emotion_timeline.labels import Labels
from tests.services import ASTRONAUT
from tests.website import SAME_RECORDING, TWO_FACES, Website, assert_problem, text_of
from web import create_app

BOTH = ("fer2013", "ferplus")


@pytest.fixture
def both(site: Website) -> Website:
    """A service whose network gives both sets of labels."""
    site.serve("net-1", BOTH)
    return site


def announce(site: Website, labels: str) -> Any:
    metadata = ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in {"filename": "a", "labels": labels}.items())
    content = ASTRONAUT.read_bytes()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    return site.client.post(
        "/api/v1/uploads", headers=headers, data=content, content_type="application/offset+octet-stream"
    )


def test_form_asks_for_labels(both: Website) -> None:
    usual, same, other = both.upload(), both.upload(labels="ferplus"), both.upload(labels="fer2013")
    assert (usual.get_json()["labels"], usual.get_json()["model"]["version"]) == ("ferplus", "net-1-ferplus")
    assert (same.status_code, same.get_json()["id"]) == (200, usual.get_json()["id"])
    assert (other.get_json()["labels"], other.get_json()["model"]["version"]) == ("fer2013", "net-1-fer2013")
    assert [analysis["labels"] for analysis in other.get_json()["analyses"]] == ["ferplus"]


def test_upload_in_pieces_asks_for_labels(both: Website) -> None:
    address = announce(both, "fer2013").headers["Location"]
    video = both.client.get(address).get_json()["video"]
    assert both.client.get(video["links"]["self"]).get_json()["labels"] == "fer2013"


def test_recording_is_analysed_again_with_the_other_labels(both: Website) -> None:
    both.done(TWO_FACES, model_version="net-1-ferplus", **SAME_RECORDING)
    again = both.client.post("/api/v1/videos/v/reanalyze")
    assert (again.status_code, again.get_json()["id"]) == (200, "v")
    other = both.client.post("/api/v1/videos/v/reanalyze", json={"labels": "fer2013"})
    assert (other.status_code, other.get_json()["labels"]) == (202, "fer2013")
    assert both.client.post("/api/v1/videos/v/reanalyze", json={"labels": "mine"}).status_code == 400


def test_setting_decides_where_nothing_is_asked_for(tmp_path: Any) -> None:
    site = Website(tmp_path, labels=Labels.FER2013)
    site.serve("net-1", BOTH)
    assert site.upload().get_json()["labels"] == "fer2013"
    assert site.upload(labels="ferplus").get_json()["labels"] == "ferplus"


@pytest.mark.parametrize("way", ["form", "pieces"])
def test_labels_without_meaning_are_refused(both: Website, way: str) -> None:
    response = both.upload(labels="mine") if way == "form" else announce(both, "mine")
    assert "expected to be ferplus or fer2013, but is 'mine'" in assert_problem(response, 400, "bad_labels")
    both.assert_nothing_left()


@pytest.mark.parametrize("way", ["form", "pieces", "again"])
def test_labels_that_the_network_does_not_give_are_refused(site: Website, way: str) -> None:
    site.done(TWO_FACES, model_version="paper-test", **SAME_RECORDING)
    if way == "form":
        response = site.upload(labels="ferplus")
    elif way == "pieces":
        response = announce(site, "ferplus")
    else:
        response = site.client.post("/api/v1/videos/v/reanalyze", json={"labels": "ferplus"})
    sentence = assert_problem(response, 422, "labels_not_given")
    assert "ferplus were asked for, but the network paper-test gives fer2013 only" in sentence
    assert (site.rows(), site.files()) == (1, ["v"])


def test_service_does_not_start_with_labels_that_its_network_does_not_give(site: Website) -> None:
    with pytest.raises(ModelError, match="ferplus were asked for"):
        create_app(site.settings.model_copy(update={"labels": Labels.FERPLUS}))


def test_page_offers_the_other_labels_and_says_what_its_own_mean(both: Website) -> None:
    both.done(TWO_FACES, model_version="net-1-ferplus", **SAME_RECORDING)
    page = both.client.get("/videos/v").text
    assert Labels.FERPLUS.meaning in text_of(page.partition('id="plot"')[2])
    assert re.findall(r'name="labels" value="(\w+)"', page) == ["fer2013"]
    assert "Analyse again with net-1-fer2013" in text_of(page)
    made = both.post("/videos/v/reanalyze", {"labels": "fer2013"})
    assert made.status_code == 303
    page = both.client.get(made.headers["Location"]).text
    assert "net-1-fer2013 this page" in text_of(page)
    assert "Analyse again" not in page


def test_timelines_from_before_there_was_a_choice_have_fer2013s_labels(both: Website) -> None:
    both.done(TWO_FACES, model_version="net-0", **SAME_RECORDING)
    assert both.client.get("/api/v1/videos/v").get_json()["labels"] == "fer2013"
    sidecar = both.client.get("/api/v1/videos/v/timeline.json").get_json()
    assert (sidecar["labels"], sidecar["labels_meaning"]) == ("fer2013", Labels.FER2013.meaning)
    page = both.client.get("/videos/v").text
    assert Labels.FER2013.meaning in text_of(page)
    assert re.findall(r'name="labels" value="(\w+)"', page) == ["ferplus", "fer2013"]


def test_page_tells_the_figures_of_the_head_that_made_the_timeline(both: Website) -> None:
    each = dict.fromkeys(EMOTIONS, 0.5)
    raters = {"images": 90, "accuracy": 0.9, "share_calibration_error": 0.01, "recall": each, "precision": each}
    first = {"split": "PublicTest", "images": 100, "accuracy": 0.7, "ece": 0.06, "recall": each, "precision": each}
    metadata = {"version": "net-1", "labels": BOTH, "validation": first | {"ferplus": raters}}
    (both.settings.model_dir / "metadata.json").write_text(json.dumps(metadata))
    for labels, sentences in (
        (
            "ferplus",
            ("about 70 % of the raters said so", "that most raters had named in 90.0 % of 90 validation images"),
        ),
        ("fer2013", ("off by 6.0 points", "It chose the label that FER2013 has in 70.0 % of 100 validation images")),
    ):
        both.done(TWO_FACES, labels, model_version=f"net-1-{labels}", **SAME_RECORDING)
        page = text_of(both.client.get(f"/videos/{labels}").text)
        assert all(sentence in page for sentence in sentences)


def test_form_lists_the_labels_of_the_network_the_usual_ones_first(both: Website) -> None:
    page = both.client.get("/").text
    choice = page.partition('id="labels"')[2].partition("</select>")[0]
    assert re.findall(r'<option value="([^"]*)">([^<]+)', choice) == [("", "FER+"), ("fer2013", "FER2013")]
    both.serve("paper-test")
    assert 'id="labels"' not in both.client.get("/").text
