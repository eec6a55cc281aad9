"""Exports and quality: what the API answers and what the page of a video offers."""

import codecs
import io
import json
import math
import re
import shutil
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from emotion_timeline.db.session import Database
from emotion_timeline.exports.dictionary import EXPORTS
from emotion_timeline.observations import RANKING, Status, blank
from emotion_timeline.views import cast, quality
from tests.services import REPOSITORY
from tests.session import finished, session_rows
from tests.website import HAPPY, INFO, TWO_FACES, Website, assert_problem, observations, text_of

FILES = [export.name for export in EXPORTS]
WITHOUT_HIDDEN = [export.name for export in EXPORTS if export.omits_hidden]


def read(content: bytes, name: str) -> pd.DataFrame:
    if name.endswith(".parquet"):
        return pd.read_parquet(io.BytesIO(content))
    if "excel" in name:
        content = content.removeprefix(codecs.BOM_UTF8)
    return pd.read_csv(io.BytesIO(content))


def test_index_describes_every_file(site: Website) -> None:
    site.done(TWO_FACES)
    site.client.post("/api/v1/videos/v/notes", json={"start_s": 0, "text": "x"})
    listed = site.client.get("/api/v1/exports").get_json()["exports"]
    assert [export["name"] for export in listed] == FILES
    for export in listed:
        answer = site.client.get(export["href"].replace("{id}", "v"))
        assert answer.status_code == 200
        assert answer.content_type.split(";")[0] == export["media_type"].split(";")[0]
        names = [column["name"] for column in export["columns"]]
        found = answer.get_json() if answer.is_json else read(answer.data, export["name"])
        assert list(found) == names
        assert all(column["meaning"] for column in export["columns"])


def test_video_links_to_its_files_and_notes(site: Website) -> None:
    links = site.client.get(f"/api/v1/videos/{site.done(TWO_FACES)}").get_json()["links"]
    for name in (*FILES, "notes"):
        assert links[name.replace("-", "_").replace(".", "_")] == f"/api/v1/videos/v/{name}"


@pytest.mark.parametrize("name", FILES)
def test_file_is_refused_until_the_video_is_done(site: Website, name: str) -> None:
    site.queued()
    assert "queued" in assert_problem(site.client.get(f"/api/v1/videos/v/{name}"), 409, "conflict")
    assert_problem(site.client.get(f"/api/v1/videos/nobody/{name}"), 404, "not_found")


@pytest.mark.parametrize(("export", "suffix"), [
    ("timeline.csv", ".csv"), ("timeline-excel.csv", "-excel.csv"), ("timeline-long.csv", "-long.csv"),
    ("per-second.csv", "-per-second.csv"),
    ("per-face.csv", "-per-face.csv"), ("timeline.parquet", ".parquet"), ("notes.csv", "-notes.csv"),
    ("timeline.json", ".json"),
])  # fmt: skip
def test_files_are_named_after_the_recording(site: Website, export: str, suffix: str) -> None:
    site.done(TWO_FACES, filename='Gespräch "1".mov')
    header = site.client.get(f"/api/v1/videos/v/{export}").headers["Content-Disposition"]
    assert header.startswith(f'attachment; filename="Gespr_ch _1_{suffix}"')
    assert unquote(header.rpartition("UTF-8''")[2]) == f'Gespräch "1"{suffix}'


@pytest.mark.parametrize("name", WITHOUT_HIDDEN)
def test_hidden_faces_are_had_by_asking(site: Website, name: str) -> None:
    site.done(TWO_FACES)
    with site.database.write() as session:
        cast.hide(session, "v", 2)
    url = f"/api/v1/videos/v/{name}"
    assert set(read(site.client.get(url).data, name)["face_id"].dropna()) == {1}
    assert set(read(site.client.get(url + "?hidden=0").data, name)["face_id"].dropna()) == {1}
    assert set(read(site.client.get(url + "?hidden=1").data, name)["face_id"].dropna()) == {1, 2}
    assert "0 or 1" in assert_problem(site.client.get(url + "?hidden=yes"), 400, "bad_hidden")
    page = site.client.get("/videos/v").text
    assert re.search(rf'href="{re.escape(url)}\?hidden=1"[^>]*faces: [^>]*">', page), "it is offered"


def test_page_offers_every_file_with_its_columns(site: Website) -> None:
    page = site.client.get(f"/videos/{site.done(TWO_FACES)}").text
    read_by_people = text_of(page)
    for export in EXPORTS:
        assert f'href="/api/v1/videos/v/{export.name}" download' in page
        for column in export.columns:
            assert " ".join(column.meaning.split()) in read_by_people
    assert len(re.findall(r"<a [^>]*hidden=1[^>]* hidden>", page)) == len(WITHOUT_HIDDEN), "no face is hidden"


def test_page_shows_where_faces_were_found(site: Website) -> None:
    rows = observations({frame: [] if 8 <= frame < 14 else [(0, HAPPY)] for frame in range(20)})
    page = site.client.get(f"/videos/{site.done(rows)}").text
    read_by_people = text_of(page)
    assert "With a face 14 70.0 %" in read_by_people
    assert "0:01 \N{EN DASH} 0:01.5 no face" in read_by_people
    paths = dict(re.findall(r'<path class="(\w+)" d="([^"]+)"', page))
    assert set(paths) == {"ok", "no_face"}
    assert paths["no_face"] == "M250.00 24.00H500.00V40.00H250.00zM500.00 8.00H750.00V40.00H500.00z"
    assert paths["ok"].startswith("M0.00 0.00H250.00V40.00H0.00zM250.00 0.00H500.00V24.00H250.00z")


def test_a_stretch_shows_what_holds_for_even_one_of_its_frames(site: Website) -> None:
    rows = blank(4000)
    rows["frame"], rows["timestamp_s"] = np.arange(4000), np.arange(4000) / 10
    rows["face"], rows["tracklet"], rows["status"] = 0, 0, Status.OK
    rows["box"], rows["probabilities"], rows["confidence"] = (1, 2, 30, 40), HAPPY, 0.9
    rows[1010] = blank(1)[0]
    rows["frame"][1010], rows["timestamp_s"][1010], rows["status"][1010] = 1010, 101.0, Status.DECODE_ERROR
    site.done(rows, info=INFO | {"frame_count": 4000, "duration_s": 400.0})
    page = site.client.get("/videos/v").text
    paths = dict(re.findall(r'<path class="(\w+)" d="([^"]+)"', page))
    assert len(re.findall("M", paths["ok"])) == 200
    bar = re.fullmatch(r"M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)H[\d.]+z", paths["decode_error"])
    assert bar
    left, top, right, bottom = map(float, bar.groups())
    assert (left, right, bottom) == (250.0, 255.0, 40.0)
    assert 3 < bottom - top < 5
    assert "stands for 2 s of the recording" in text_of(page)


def test_stretches_count_frames_by_their_best_face(database: Database) -> None:
    rows = session_rows()
    video_id = finished(database, rows)
    with database.read() as session:
        stretches = quality.stretches(session, video_id, span_s=5.0, most=5)
    table = pd.DataFrame({name: rows[name].tolist() for name in ("frame", "timestamp_s", "status")})
    table["rank"] = table["status"].map(RANKING.index)
    frames = table.groupby("frame").agg(at_s=("timestamp_s", "first"), rank=("rank", "min"))
    parts = [part for _, part in frames.groupby(frames["at_s"] // 1)]
    assert [stretch.start_s for stretch in stretches] == [part["at_s"].min() for part in parts]
    for stretch, part in zip(stretches, parts, strict=True):
        assert list(stretch.frames.values()) == [(part["rank"] == rank).sum() for rank in range(4)]
    assert [stretch.end_s for stretch in stretches] == [*(stretch.start_s for stretch in stretches[1:]), math.inf]


def test_band_of_a_clip_is_as_wide_as_the_clip(site: Website) -> None:
    rows = observations({frame: [(0, HAPPY)] for frame in range(10, 15)})
    page = site.client.get(f"/videos/{site.done(rows, clip_start_s=1.0, clip_end_s=1.5)}").text
    assert re.findall(r'<path class="(\w+)" d="([^"]+)"', page) == [("ok", "M0.00 0.00H1000.00V40.00H0.00z")]
    assert '<p class="band-axis"><span>0:01</span><span>0:01.5</span></p>' in page
    assert 'data-from-s="1.0" data-to-s="1.5"' in page


def with_network(site: Website, **changes: Any) -> None:
    """The repository's network, as that which analysed."""
    folder = site.settings.models_dir / "paper"
    metadata = json.loads((REPOSITORY / "models" / "paper" / "metadata.json").read_text(encoding="utf-8"))
    metadata["validation"] |= {"accuracy": 0.5862, "accuracy_interval": [0.5704, 0.6021], "ece": 0.016, "images": 3589}
    metadata["validation"] |= changes
    (folder / "metadata.json").write_text(json.dumps(metadata | {"version": "paper-1"}), encoding="utf-8")


def test_page_tells_the_figures_of_its_network(site: Website) -> None:
    site.done(TWO_FACES)
    with_network(site)
    page = text_of(site.client.get("/videos/v").text)
    for words in (
        "Among faces where this network says 70 %, about 70 % are labelled so; its calibration error on validation "
        "images is 1.6 points.",
        "58.6 % of 3,589 validation images (95 % interval 57.0 to 60.2 %)",
        "which expression a face shows",
        "can't tell what the person feels",
        "Key figures of paper-1",
    ):
        assert words in page


def test_page_does_not_call_a_network_calibrated_that_is_not(site: Website) -> None:
    site.done(TWO_FACES)
    with_network(site, ece=0.18, accuracy_interval=None)
    page = text_of(site.client.get("/videos/v").text)
    assert "about 70 %" not in page
    assert "off by 18.0 points on average" in page
    assert "95 % interval" not in page


@pytest.mark.parametrize("fault", ["gone", "other version", "no figures", "damaged"])
def test_page_survives_a_network_that_says_nothing(site: Website, fault: str) -> None:
    site.done(TWO_FACES)
    path = site.settings.models_dir / "paper" / "metadata.json"
    with_network(site)
    if fault == "gone":
        shutil.rmtree(path.parent)
    elif fault == "other version":
        path.write_text(path.read_text().replace('"paper-1"', '"paper-2"'))
    elif fault == "no figures":
        path.write_text('{"version": "paper-1"}')
    else:
        path.write_text('{"version": ')
    answer = site.client.get("/videos/v")
    assert answer.status_code == 200
    assert "aren't on the server any more" in text_of(answer.text)
    assert "about 70 %" not in answer.text


def test_page_of_a_video_without_a_result_has_none_of_its_files(site: Website) -> None:
    page = site.client.get(f"/videos/{site.failed()}").text
    assert "per-second.csv" not in page
    assert "Quality at a glance" not in page
    assert "h264 in mov" in text_of(page)


@pytest.mark.parametrize(("language", "separator", "decimal"), [
    ("en", ",", "."), ("de", ";", ","), ("fr-CA", ";", ","), ("de-CH", ";", "."), ("es-MX", ",", "."),
])  # fmt: skip
def test_excel_gets_the_notation_of_its_language(site: Website, language: str, separator: str, decimal: str) -> None:
    site.done(TWO_FACES, filename="Gespräch; 1,5.mov")
    url = "/api/v1/videos/v/timeline-excel.csv"
    content = site.client.get(f"{url}?language={language}", headers={"Accept-Language": "nl"}).data
    assert content.startswith(codecs.BOM_UTF8), "or Excel breaks letters"
    table = pd.read_csv(io.BytesIO(content), sep=separator, decimal=decimal, encoding="utf-8-sig")
    tidy = pd.read_csv(io.BytesIO(site.client.get("/api/v1/videos/v/timeline.csv").data))
    pd.testing.assert_frame_equal(table, tidy, check_exact=True)
    assert site.client.get(url, headers={"Accept-Language": f"tlh, {language};q=0.9, ja;q=0.1"}).data == content


def test_excel_gets_english_where_no_language_is_known(site: Website) -> None:
    site.done(TWO_FACES)
    url = "/api/v1/videos/v/timeline-excel.csv"
    assert site.client.get(url).data == site.client.get(url + "?language=en").data
    refusal = assert_problem(site.client.get(url + "?language=tlh-"), 400, "bad_language")
    assert "the tag of a language, such as en, de or fr-CA" in refusal


def test_page_offers_the_other_decimal_sign_for_excel(site: Website) -> None:
    site.done(TWO_FACES)
    for language, other, tag in (("en-GB", "comma", "de"), ("de-DE", "point", "en")):
        page = site.client.get("/videos/v", headers={"Accept-Language": language}).text
        assert f'timeline-excel.csv?language={tag}" download' in page and f">with decimal {other}</a>" in page
