"""What a player is given: the recording in ranges, and the faces in a stretch of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from emotion_timeline.db import timelines, work
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Segment, Step
from emotion_timeline.db.work import SegmentRow
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, Status
from emotion_timeline.views import boxes
from tests.records import ATTEMPTS, add, claim, rows, write
from tests.website import HAPPY, INFO, TWO_FACES, Website, assert_problem, observations

RECORDING = "/api/v1/videos/v/recording"
BOXES = "/api/v1/videos/v/boxes.json"
TICKS = 1_000_000  # a second; after an hour timestamps need more than 32 bits


def long_recording(database: Database, segments: Sequence[Sequence[float]], video_id: str = "v") -> str:
    """A video with segments of sampled frames at these seconds; its file's first frame is at an hour."""
    add(database, video_id, info=INFO)
    origin, frame = 3600 * TICKS, 0
    planned: list[SegmentRow] = []
    ends_s = [*(times_s[0] for times_s in segments[1:]), segments[-1][-1] + 0.1]
    observed: list[Observations] = []
    for times_s, end_s in zip(segments, ends_s, strict=True):
        block = rows(range(frame, frame + len(times_s)))
        block["timestamp_s"], frame = times_s, frame + len(times_s)
        pts = origin + np.rint(np.array(times_s) * TICKS).astype(np.int64)
        plan = {
            "start_pts": int(pts[0]),
            "until_pts": origin + round(end_s * TICKS),
            "interval_pts": TICKS // 10,
            "origin_pts": origin,
            "time_base_numerator": 1,
            "time_base_denominator": TICKS,
        }
        planned.append(SegmentRow(plan, block["frame"].astype(np.int64), pts))
        observed.append(block)
    with database.write() as session:
        step = work.claim_step(session, video_id, Step.PLAN, 60, ATTEMPTS)
        assert step is not None
        work.save_plan(session, step, planned, INFO)
    with database.read() as session:
        ids = session.scalars(select(Segment.id).where(Segment.video_id == video_id).order_by(Segment.number)).all()
    for segment_id, block in zip(ids, observed, strict=True):
        held = claim(database, segment_id)
        assert held is not None
        write(database, held, [block])
    with database.write() as session:
        numbers = {(tracklet.segment, tracklet.number): 1 for tracklet in timelines.tracklets(session, video_id)}
        timelines.number_tracklets(session, video_id, numbers, {1: 1})
    return video_id


def stretch(database: Database, from_s: float, to_s: float) -> tuple[list[float], float | None, float | None]:
    with database.read() as session:
        found = boxes.stretch(session, "v", from_s, to_s)
    assert all(len(sampled.faces) == 1 for sampled in found.frames)
    return [sampled.timestamp_s for sampled in found.frames], found.previous_s, found.next_s


@pytest.mark.parametrize(
    ("from_s", "to_s", "expected"),
    [
        (0.0, 1.0, ([0.0, 0.5], None, 1.0)),
        (0.7, 1.0, ([0.5], 0.0, 1.0)),  # what stands at the start is from before it
        (0.5, 2.1, ([0.5, 1.0, 2.0], 0.0, 7.0)),  # over three segments
        (2.0, 7.0, ([2.0], 1.0, 7.0)),  # the end is not included
        (5.0, 6.0, ([2.0], 1.0, 7.0)),  # nothing was sampled here
        (7.0, 9.0, ([7.0, 7.5], 2.0, None)),
        (90.0, 99.0, ([7.5], 7.0, None)),  # after the end the last one stands
    ],
)
def test_stretch_holds_the_frames_that_stand_in_it(
    database: Database, from_s: float, to_s: float, expected: tuple[list[float], float | None, float | None]
) -> None:
    long_recording(database, [[0.0, 0.5], [1.0], [2.0], [7.0, 7.5]])
    assert stretch(database, from_s, to_s) == expected


def test_stretch_before_the_first_sampled_frame_is_empty(database: Database) -> None:
    long_recording(database, [[1.0, 1.5], [2.0]])
    assert stretch(database, 0.0, 0.9) == ([], None, 1.0)


def test_stretches_one_after_the_other_hold_every_row(database: Database) -> None:
    times = np.round(np.arange(0, 9, 0.04), 6).reshape(5, -1).tolist()
    long_recording(database, times)
    found: list[float] = []
    for start in np.arange(0, 9, 0.7):
        found += [time for time in stretch(database, start, start + 0.7)[0] if time >= start]
    assert found == [time for segment in times for time in segment]


def test_boxes_of_a_stretch(site: Website) -> None:
    two = observations({0: [(0, HAPPY)], 1: [(0, HAPPY), (1, HAPPY)], 2: [], 3: []})
    two["status"][2], two["probabilities"][2] = Status.TOO_SMALL, np.nan
    two["status"][4] = Status.DECODE_ERROR
    two["box"][0] = (10.04, 20.5, 50, 60)
    site.done(two)
    found = site.client.get(f"{BOXES}?from_s=0&to_s=10").get_json()
    happy, (ok, no_face, too_small, decode_error) = EMOTIONS.index("happy"), range(4)
    assert found["statuses"] == ["ok", "no_face", "too_small", "decode_error"]
    assert found["emotions"] == list(EMOTIONS)
    assert (found["width"], found["height"]) == (640, 360)
    assert found["frames"] == {
        "frame": [0, 1, 2, 3],
        "timestamp_s": [0.0, 0.1, 0.2, 0.3],
        "status": [ok, ok, no_face, decode_error],
        "faces": [1, 2, 0, 0],
    }
    assert found["faces"] == {
        "face_id": [1, 1, 2],
        "x": [10.0, 10.0, 210.0],
        "y": [20.5, 20.0, 20.0],
        "w": [50.0] * 3,
        "h": [60.0] * 3,
        "status": [ok, ok, too_small],
        "emotion": [happy, happy, None],
        "probability": [0.6, 0.6, None],
    }
    assert (found["previous_s"], found["next_s"], found["names"]) == (None, None, {})


def test_boxes_begin_at_the_start_unless_told(site: Website) -> None:
    site.done(TWO_FACES)
    found = site.client.get(BOXES).get_json()
    assert (found["from_s"], found["to_s"]) == (0.0, 60.0)
    assert found["frames"]["frame"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from_s=x", "bad_from_s"),
        ("from_s=-1", "bad_from_s"),
        ("from_s=nan", "bad_from_s"),
        ("to_s=inf", "bad_to_s"),
        ("from_s=5&to_s=5", "bad_stretch"),
        ("from_s=0&to_s=60.1", "bad_stretch"),
    ],
)
def test_boxes_of_an_odd_stretch_are_refused(site: Website, query: str, code: str) -> None:
    site.done(TWO_FACES)
    assert_problem(site.client.get(f"{BOXES}?{query}"), 400, code)


def test_boxes_need_a_video_that_is_done(site: Website) -> None:
    assert_problem(site.client.get(BOXES), 404, "not_found")
    site.queued()
    assert_problem(site.client.get(BOXES), 409, "conflict")


def test_links_lead_to_recording_and_boxes(site: Website) -> None:
    site.done(TWO_FACES)
    links = site.client.get("/api/v1/videos/v").get_json()["links"]
    assert (links["recording"], links["boxes"]) == (RECORDING, BOXES)


def get_recording(site: Website, query: str = "", **headers: str) -> Any:
    with site.client.get(RECORDING + query, headers=headers) as response:
        response.get_data()
        return response


def test_recording_is_served_whole_for_being_shown(site: Website) -> None:
    site.queued()
    response = get_recording(site)
    assert (response.status_code, response.data) == (200, b"recording")
    for name, value in {
        "Content-Type": "video/mp4",
        "Content-Disposition": "inline",
        "Accept-Ranges": "bytes",
        "Content-Length": "9",
        "ETag": '"v"',  # its SHA-256
        "X-Content-Type-Options": "nosniff",
    }.items():
        assert response.headers[name] == value


@pytest.mark.parametrize(
    ("asked", "status", "content", "content_range"),
    [
        ("bytes=0-", 206, b"recording", "bytes 0-8/9"),
        ("bytes=3-5", 206, b"ord", "bytes 3-5/9"),
        ("bytes=3-99", 206, b"ording", "bytes 3-8/9"),
        ("bytes=-4", 206, b"ding", "bytes 5-8/9"),
        ("bytes=9-", 416, None, "bytes */9"),
    ],
)
@pytest.mark.parametrize("query", ["", "?parts"])
def test_recording_is_served_in_ranges(
    site: Website, query: str, asked: str, status: int, content: bytes | None, content_range: str | None
) -> None:
    site.queued()
    response = get_recording(site, query, Range=asked)
    assert response.status_code == status
    assert response.headers.get("Content-Range") == content_range
    if content is None:
        assert_problem(response, 416, "requested_range_not_satisfiable")
    else:
        assert response.data == content


def test_recording_is_not_sent_again_while_it_is_the_same(site: Website) -> None:
    site.queued()
    etag = get_recording(site).headers["ETag"]
    assert get_recording(site, **{"If-None-Match": etag}).status_code == 304
    assert get_recording(site, Range="bytes=1-2", **{"If-Range": etag}).data == b"ec"
    assert get_recording(site, Range="bytes=1-2", **{"If-Range": '"other"'}).data == b"recording"


def test_player_gets_parts_so_that_its_pause_holds_nothing(site: Website) -> None:
    site.queued()
    part, content = 2 * 1024**2, np.arange(5_000_000, dtype=np.uint32).tobytes()[: 5 * 1024**2]
    site.settings.recording("v").write_bytes(content)
    found = b""
    while len(found) < len(content):
        response = get_recording(site, "?parts", Range=f"bytes={len(found)}-")
        assert response.headers["Content-Range"] == (
            f"bytes {len(found)}-{min(len(found) + part, len(content)) - 1}/{len(content)}"
        )
        found += response.data
    assert found == content
    assert get_recording(site, Range="bytes=0-").data == content  # whoever goes on with a download gets all the rest
    assert get_recording(site, "?parts").data == content


def test_recording_that_is_gone(site: Website) -> None:
    assert_problem(get_recording(site), 404, "not_found")
    site.done(TWO_FACES)
    site.settings.recording("v").unlink()
    assert_problem(get_recording(site), 410, "recording_gone")
    page = site.client.get("/videos/v").text
    assert "not on the server any more" in page
    assert "<video" not in page


@pytest.mark.parametrize(
    ("container", "codec", "content_type"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "hevc", "video/mp4"),
        ("matroska,webm", "vp9", "video/webm"),
        ("matroska,webm", "h264", "video/x-matroska"),
        ("avi", "mpeg4", "video/x-msvideo"),
        ("nut", "h264", "application/octet-stream"),
    ],
)
def test_recording_says_what_it_is(site: Website, container: str, codec: str, content_type: str) -> None:
    site.queued(info=INFO | {"container": container, "codec": codec})
    assert get_recording(site).headers["Content-Type"] == content_type


def test_page_plays_without_javascript(site: Website) -> None:
    site.done(TWO_FACES)
    page = site.client.get("/videos/v").text
    assert '<video controls playsinline preload="metadata"' in page
    assert f'<source src="{RECORDING}?parts">' in page
