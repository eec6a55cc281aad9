"""What is done with many videos of the list at once: their timelines in one ZIP, and every button."""

import io
import json
import re
import zipfile

import pandas as pd

from emotion_timeline.exports.tidy import CSV_COLUMNS
from tests.website import HAPPY, TWO_FACES, Website, assert_problem, observations, text_of
from web.recordings.archives import LEFT_OUT, unique_names


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def test_zip_holds_the_timelines_and_sidecars(site: Website) -> None:
    site.done(TWO_FACES, "a", filename="talk.mp4")
    site.done(observations({0: [(0, HAPPY)], 1: []}), "b", filename="Gespräch 日本.mov")
    answer = site.client.get("/api/v1/videos.zip?id=a&id=b&id=a")
    assert answer.content_type == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="emotion-timelines.zip"'
    archive = opened(answer.data)
    assert sorted(archive.namelist()) == ["Gespräch 日本.csv", "Gespräch 日本.json", "talk.csv", "talk.json"]
    for video_id, name, rows in (("a", "talk", 6), ("b", "Gespräch 日本", 2)):
        assert archive.read(f"{name}.csv") == site.client.get(f"/api/v1/videos/{video_id}/timeline.csv").data
        table = pd.read_csv(io.BytesIO(archive.read(f"{name}.csv")))
        assert tuple(table.columns) == CSV_COLUMNS
        assert len(table) == rows
        alone = site.client.get(f"/api/v1/videos/{video_id}/timeline.json").get_json()
        assert json.loads(archive.read(f"{name}.json")) == alone


def test_recordings_of_one_name_are_both_in_the_zip(site: Website) -> None:
    site.done(TWO_FACES, "a", filename="talk.mp4")
    site.done(observations({0: [(0, HAPPY)]}), "b", filename="Talk.mov")
    archive = opened(site.client.get("/api/v1/videos.zip?id=a&id=b").data)
    assert len(pd.read_csv(io.BytesIO(archive.read("talk.csv")))) == 6
    assert len(pd.read_csv(io.BytesIO(archive.read("Talk (2).csv")))) == 1
    assert json.loads(archive.read("Talk (2).json"))["video_id"] == "b"


def test_zip_says_what_it_leaves_out_and_why(states: Website) -> None:
    archive = opened(states.client.get("/api/v1/videos.zip?id=d&id=f&id=nobody").data)
    assert sorted(archive.namelist()) == ["done.csv", "done.json", LEFT_OUT]
    text = archive.read(LEFT_OUT).decode()
    assert "failed.mp4 is failed, so it has no timeline yet." in text
    assert "There is no video with the id 'nobody'" in text
    sentence = assert_problem(states.client.get("/api/v1/videos.zip?id=f"), 409, "conflict")
    assert "failed.mp4 is failed" in sentence
    assert_problem(states.client.get("/api/v1/videos.zip?id=nobody"), 404, "not_found")
    assert_problem(states.client.get("/api/v1/videos.zip"), 400, "bad_id")
    assert_problem(states.client.get("/api/v1/videos.zip?" + "&".join(f"id={n}" for n in range(1001))), 400, "bad_id")


def test_zip_is_whole_though_a_video_is_deleted_meanwhile(site: Website) -> None:
    site.done(TWO_FACES, "a", filename="a.mp4")
    site.done(TWO_FACES, "b", filename="b.mp4")
    answer = site.client.get("/api/v1/videos.zip?id=a&id=b", buffered=False)
    chunks = (bytes(chunk) for chunk in answer.iter_encoded())
    first = next(chunks)
    assert site.client.delete("/api/v1/videos/b").status_code == 204
    archive = opened(first + b"".join(chunks))
    answer.close()
    assert len(pd.read_csv(io.BytesIO(archive.read("b.csv")))) == 6


def test_zip_names_are_safe_and_unique() -> None:
    given = [
        "a.mp4",
        "A.mov",
        "a (2).mp4",
        "..",
        "con.mp4",
        'x<>:"|?*.mp4',
        "日" * 200 + ".mp4",
        "",
        "dot. .mp4",
        "a/b.mp4",
    ]
    names = list(unique_names(given))
    assert names[:3] == ["a", "A (2)", "a (2) (2)"]
    assert names[3:6] == ["_", "_con", "x_______"]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert len(f"{name} (99).json".encode()) <= 255
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]|[. ]$|^$', name)


def acted(site: Website, action: str, *video_ids: str, query: str = "", **fields: str) -> str:
    """Press a button of the list with these videos chosen; what the page then says."""
    answer = site.client.post(f"/selection/{action}{query}", data={"id": list(video_ids), **fields})
    assert answer.status_code == 303
    html = site.client.get(answer.headers["Location"]).text
    report = re.search(r'<div id="report" role="status">(.*?)</div>', html, re.DOTALL)
    assert report is not None
    return text_of(report[1])


def status_of(site: Website, video_id: str) -> str:
    status: str = site.client.get(f"/api/v1/videos/{video_id}").get_json()["status"]
    return status


def test_many_are_cancelled_and_the_others_are_told(states: Website) -> None:
    states.queued("q2", filename="also waiting.mp4")
    said = acted(states, "cancel", "q", "d", "nobody", "q2")
    assert said == (
        "2 videos were cancelled. Nothing was done with done.mp4. Only a waiting or running video can be cancelled. "
        "1 video was deleted before."
    )
    assert [status_of(states, name) for name in ("q", "q2", "d")] == ["cancelled", "cancelled", "done"]


def test_many_are_tried_again(states: Website) -> None:
    said = acted(states, "retry", "f", "c", "d", "q")
    assert said.startswith("2 videos were put into the queue again. Nothing was done with done.mp4, waiting.mp4.")
    assert [status_of(states, name) for name in ("f", "c", "d", "q")] == ["queued", "queued", "done", "queued"]


def test_many_are_deleted_when_that_is_confirmed(states: Website) -> None:
    page = states.client.post("/selection/delete?state=failed", data={"id": ["f", "d", "nobody"]})
    assert page.status_code == 200
    assert "Delete 2 videos for good? failed.mp4 done.mp4 The recordings" in text_of(page.text)
    assert 'action="/selection/delete?state=failed"' in page.text
    assert states.rows() == 4
    ids = re.findall(r'name="id" value="([^"]*)"', page.text)
    assert acted(states, "delete", *ids, confirmed="yes") == "2 videos were deleted."
    assert states.files() == ["c", "q"]
    assert acted(states, "delete", "f", confirmed="yes") == "1 video was deleted before."
    assert acted(states, "delete", "f") == "1 video was deleted before.", "there is nothing to confirm"


def test_the_list_is_as_it_was_after_an_action(states: Website) -> None:
    answer = states.client.post("/selection/retry?q=ed&sort=name&did=x&page=1", data={"id": "f"})
    assert answer.headers["Location"] == "/?q=ed&sort=name&did=retry&done=1"


def test_a_button_without_a_choice_says_what_to_do(states: Website) -> None:
    for action in ("cancel", "retry", "delete", "zip"):
        assert acted(states, action) == "No video was chosen. Tick the boxes beside the videos first."


def test_zip_by_the_form(states: Website) -> None:
    answer = states.client.post("/selection/zip", data={"id": ["d", "q"]})
    assert sorted(opened(answer.data).namelist()) == ["done.csv", "done.json", LEFT_OUT]
    said = acted(states, "zip", "q", "f", "c", "nobody")
    assert said == (
        "Nothing was done with waiting.mp4, failed.mp4, cancelled.mp4 and 1 more. Only a video that is done has a CSV."
    )


def test_many_names_are_cut_short(site: Website) -> None:
    for number in range(9):
        site.failed(f"v{number}", filename=f"{number}.mp4")
    said = acted(site, "cancel", *(f"v{number}" for number in range(9)))
    assert "Nothing was done with 0.mp4, 1.mp4, 2.mp4 and 6 more." in said


def test_no_other_site_can_act_on_videos(states: Website) -> None:
    for action in ("cancel", "retry", "delete", "zip"):
        answer = states.client.post(
            f"/selection/{action}", data={"id": "q", "confirmed": "yes"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403
    assert status_of(states, "q") == "queued"


def test_a_report_in_an_address_can_not_be_made_up(states: Website) -> None:
    html = states.client.get("/?did=cancel&unfit=2&kept=nobody&kept=<b>&done=1").text
    assert "Nothing was done with 2 videos." in html
    assert "nobody" not in html
    assert "&lt;b&gt;" not in html
