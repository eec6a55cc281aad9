"""chart.json: what is drawn is what was measured, from hours down to single frames."""

import io
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event

from emotion_timeline.db import videos
from emotion_timeline.downsampling import CELL_S
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, Status, blank
from emotion_timeline.views import curves
from emotion_timeline.views.cast import ShownFace
from tests.databases import postgres_database
from tests.records import analyse, planned
from tests.website import HAPPY, INFO, NEUTRAL, TWO_FACES, Website, assert_problem, observations

HAPPY_PLACE = EMOTIONS.index("happy")
LONG = 60_000  # frames; more than are read from rows
LONG_INFO = INFO | {"frame_count": LONG, "duration_s": LONG / 10}


@pytest.fixture
def site(either_site: Website) -> Website:
    """A website on either database."""
    return either_site


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def long_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    """A website on either database with one long recording, for tests that change nothing: it takes seconds to fill."""
    folder = tmp_path_factory.mktemp("long")
    with ExitStack() as stack:
        changes = {}
        if request.param == "postgresql":
            server, template = map(request.getfixturevalue, ("postgres_maintenance_url", "migrated_postgres"))
            changes["database_url"] = stack.enter_context(postgres_database(server, template))
        website = Website(folder, **changes)
        stack.callback(website.database.close)
        website.done(long_rows(), info=LONG_INFO)
        yield website


def chart(site: Website, **arguments: Any) -> dict[str, Any]:
    answer = site.client.get("/api/v1/videos/v/chart.json", query_string=arguments)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def long_rows(frames: int = LONG) -> Observations:
    """One face for 100 minutes at 10 frames/s, never happy but in frame 31,234, and away for a minute."""
    rows = blank(frames)
    rows["frame"], rows["timestamp_s"] = np.arange(frames), np.arange(frames) / 10
    rows["face"], rows["tracklet"], rows["status"], rows["confidence"], rows["box"] = (
        0,
        0,
        Status.OK,
        0.9,
        (1, 2, 30, 40),
    )
    rows["probabilities"] = NEUTRAL
    rows["probabilities"][31_234:31_235] = np.eye(7)[HAPPY_PLACE]
    away = rows[10_000:10_600]
    away["face"], away["tracklet"], away["status"], away["probabilities"] = -1, -1, Status.NO_FACE, np.nan
    rows["status"][20_005], rows["probabilities"][20_005], rows["tracklet"][20_005] = Status.DECODE_ERROR, np.nan, -1
    return rows


def add_segments(site: Website, parts: list[Observations]) -> None:
    """A video that is done whose segments have these rows."""
    frames = sum(len(part) for part in parts)
    info = INFO | {"frame_count": frames, "duration_s": frames / 10}
    analyse(site.database, site.queued(info=info), planned(parts, frames / 10), parts, info)


def test_short_chart_has_every_frame_and_breaks_the_line_where_a_face_is_missing(site: Website) -> None:
    site.done(TWO_FACES)
    body = chart(site)
    assert (body["emotions"], body["bucket_s"]) == (list(EMOTIONS), 0)
    first, second = body["faces"]
    assert (first["face_id"], first["timestamp_s"]) == (1, [0, 0.1, None, 0.3])
    assert (second["face_id"], second["timestamp_s"]) == (2, [0.1, None, 0.3])
    assert first["probabilities"]["happy"] == [0.6, 0.6, None, 0.05]
    assert first["frames"] == [1, 1, None, 1]
    assert "lowest" not in first, "one frame has no extremes"
    assert body["quality"] == {
        "timestamp_s": [0, 0.1, 0.2, 0.3], "ok": [1, 1, 0, 1], "no_face": [0, 0, 1, 0],
        "too_small": [0, 0, 0, 0], "decode_error": [0, 0, 0, 0],
    }  # fmt: skip


def test_frame_by_frame_the_chart_is_the_csv(site: Website) -> None:
    site.done(TWO_FACES)
    csv = pd.read_csv(io.StringIO(site.client.get("/api/v1/videos/v/timeline.csv").text))
    for face in chart(site)["faces"]:
        expected = csv[(csv.face_id == face["face_id"]) & (csv.status == "ok")]
        drawn = pd.DataFrame({"timestamp": face["timestamp_s"], **face["probabilities"]}).dropna()
        assert len(drawn) == len(expected) == face["frames_seen"]
        for column in drawn:
            np.testing.assert_allclose(drawn[column], expected[column], atol=6e-5)


def test_buckets_of_a_long_recording_are_the_means_and_extremes_of_the_csv(long_site: Website) -> None:
    body = chart(long_site, points=500)
    csv = pd.read_csv(io.StringIO(long_site.client.get("/api/v1/videos/v/timeline.csv").text))
    ok = csv[csv.status == "ok"]
    grouped = ok.groupby((ok.timestamp // body["bucket_s"]).astype(int))
    (face,) = body["faces"]
    assert body["bucket_s"] == 16
    drawn = pd.DataFrame({"timestamp_s": face["timestamp_s"], "frames": face["frames"]}).dropna()
    np.testing.assert_allclose(drawn.timestamp_s, grouped.timestamp.mean(), atol=1e-5)
    assert drawn.frames.tolist() == grouped.size().tolist()
    for name, expected in (("probabilities", grouped.mean), ("lowest", grouped.min), ("highest", grouped.max)):
        table = pd.DataFrame(face[name]).dropna()
        np.testing.assert_allclose(table, expected(numeric_only=True)[list(EMOTIONS)], atol=6e-5)
    sums = {status: sum(body["quality"][status]) for status in ("ok", "no_face", "too_small", "decode_error")}
    assert sums == {"ok": LONG - 601, "no_face": 600, "too_small": 0, "decode_error": 1}


def test_a_spike_of_one_frame_is_seen_over_the_whole_recording(long_site: Website) -> None:
    (face,) = chart(long_site, points=200)["faces"]
    assert len(face["timestamp_s"]) <= 202
    happiest = max(range(len(face["timestamp_s"])), key=lambda place: face["highest"]["happy"][place] or 0)
    assert face["highest"]["happy"][happiest] == 1
    assert face["timestamp_s"][happiest] == pytest.approx(3123.4, abs=32)
    assert face["lowest"]["neutral"][happiest] == 0


def test_a_long_gap_stays_a_gap_over_the_whole_recording(long_site: Website) -> None:
    (face,) = chart(long_site, points=500)["faces"]
    times = face["timestamp_s"]
    assert times.count(None) == 1  # the one frame that is not decodable is shorter than a point: `quality` tells it
    place = times.index(None)
    assert (times[place - 1], times[place + 1]) == (pytest.approx(1000, abs=16), pytest.approx(1060, abs=16))
    assert all(face[name]["fear"][place] is None for name in ("probabilities", "lowest", "highest"))
    assert face["frames"][place] is None


def test_a_gap_that_lies_between_two_full_buckets_breaks_the_line(site: Website) -> None:
    """Also one frame: where nothing was measured nothing is joined."""
    rows = long_rows()
    edge = 48 * 160 - 1  # the last frame of a bucket of 16 s
    rows["status"][edge], rows["probabilities"][edge], rows["tracklet"][edge] = Status.NO_FACE, np.nan, -1
    site.done(rows, info=LONG_INFO)
    (face,) = chart(site, points=500)["faces"]
    assert face["timestamp_s"].count(None) == 2


@pytest.mark.parametrize("points", [10, 100, 1000, 4000])
@pytest.mark.parametrize("stretch", [(0, 6000), (900, 1100), (3000, 3500), (5990, 6000)])
def test_points_are_bounded_and_a_stretch_finds_what_the_whole_has(
    long_site: Website, points: int, stretch: tuple[float, float]
) -> None:
    body = chart(long_site, points=points, from_s=stretch[0], to_s=stretch[1])
    (face,) = body["faces"]
    times = [time for time in face["timestamp_s"] if time is not None]
    assert len(times) <= points + 1
    width = body["bucket_s"] or 0.1
    assert stretch[0] - width <= times[0]
    assert times[-1] <= stretch[1] + width
    frames = sum(count for count in face["frames"] if count)
    away = max(0, min(stretch[1], 1060) - max(stretch[0], 1000)) * 10
    assert frames == pytest.approx((stretch[1] - stretch[0]) * 10 - away, abs=2 * width * 10 + 2)
    if stretch[0] <= 3123.4 <= stretch[1]:
        peaks = face["highest" if body["bucket_s"] else "probabilities"]["happy"]
        assert max(value for value in peaks if value is not None) == 1


def test_zooming_in_ends_at_every_frame(long_site: Website) -> None:
    widths = [
        chart(long_site, points=100, from_s=3120, to_s=3120 + length)["bucket_s"] for length in (2000, 100, 20, 5)
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0
    (face,) = chart(long_site, points=100, from_s=3120, to_s=3125)["faces"]
    assert face["timestamp_s"][face["probabilities"]["happy"].index(1)] == 3123.4


def test_sampled_video_has_no_gap_between_samples(site: Website) -> None:
    site.done(observations({frame: [(0, HAPPY)] for frame in range(0, 20, 5)}), sample_hz=2.0)
    (face,) = chart(site)["faces"]
    assert face["timestamp_s"] == [0, 0.5, 1.0, 1.5]


def test_only_the_line_that_is_asked_for_is_sent(site: Website) -> None:
    site.done(TWO_FACES)
    for face_id, expected in (("main", 1), (1, 1), (2, 2)):
        faces = chart(site, face_id=face_id)["faces"]
        assert [face["face_id"] for face in faces] == [1, 2], "every face can be chosen"
        assert [face["face_id"] for face in faces if "timestamp_s" in face] == [expected]
    assert not any("timestamp_s" in face for face in chart(site, face_id=77)["faces"])


def test_merged_faces_are_one_line_and_hidden_ones_none(site: Website) -> None:
    site.done(TWO_FACES)
    shown = {1: ShownFace(1, "Participant", False), 2: ShownFace(1, "Participant", False)}
    with site.database.read() as session:
        video = videos.get(session, "v")
        merged = curves.read(session, video, shown, 0, 1, 100).faces
        hidden = curves.read(session, video, shown | {2: ShownFace(2, None, True)}, 0, 1, 100).faces
    assert merged["face"].tolist() == [1, 1, 1]
    assert merged["frames"].tolist() == [1, 1, 1], "a frame with both counts once"
    np.testing.assert_allclose(merged["mean"][1], HAPPY, atol=1e-6)
    assert hidden["face"].tolist() == [1, 1, 1]
    assert hidden["frames"].tolist() == [1, 1, 1]


def test_faces_merged_or_hidden_by_a_person_are_so_in_the_chart(site: Website) -> None:
    site.done(TWO_FACES)
    face = "/api/v1/videos/v/faces/2"
    assert site.client.patch(face, json={"merged_into": 1}).status_code == 200
    assert site.client.patch("/api/v1/videos/v/faces/1", json={"name": "Ada"}).status_code == 200
    (merged,) = chart(site)["faces"]
    assert (merged["name"], merged["frames"]) == ("Ada", [1, 1, None, 1])
    site.client.patch(face, json={"merged_into": None})
    site.client.patch(face, json={"hidden": True})
    assert [one["face_id"] for one in chart(site)["faces"]] == [1]


@pytest.mark.slow
def test_segments_join_without_a_seam(site: Website) -> None:
    """Of rows and of cells: there is no gap between the last frame of a segment and the first of the next."""
    rows = long_rows(32_000)
    # The cuts are not on the grid of the cells, and none is in the long gap, after which it would be another face.
    add_segments(site, np.split(rows, range(4001, 32_000, 4001)))
    for arguments, gaps in (({"points": 300}, 1), ({"points": 4000, "from_s": 300, "to_s": 500}, 0)):
        (face,) = chart(site, **arguments)["faces"]
        assert face["timestamp_s"].count(None) == gaps
        assert sum(count for count in face["frames"] if count) == face["frames_seen"]
    body = chart(site, points=300)
    assert body["bucket_s"] == 16
    assert sum(body["quality"]["ok"]) == 32_000 - 601
    assert body["faces"][0]["frames_seen"] == 32_000 - 601


def test_the_chart_of_a_clip_expects_the_frames_of_the_clip(site: Website) -> None:
    """21,000 frames, too many to read as rows, and all of them in the clip."""
    frames = 21_000
    rows = long_rows(frames)
    rows["timestamp_s"] += 3600
    info = INFO | {"frame_count": 5 * frames, "duration_s": 10_500.0}
    site.done(rows, info=info, clip_start_s=3600.0, clip_end_s=5700.0)
    statements: list[str] = []
    event.listen(site.database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    body = chart(site, points=500, from_s=3600, to_s=5700)
    assert sum(count for count in body["faces"][0]["frames"] if count) == frames - 601
    assert not any("FROM observations" in statement for statement in statements)
    chart(site, points=500, from_s=3600, to_s=3700)
    assert any("FROM observations" in statement for statement in statements), "short stretches are of rows"


def test_chart_without_faces_is_empty_and_tells_the_quality(site: Website) -> None:
    site.done(observations({frame: [] for frame in range(5)}))
    body = chart(site, face_id="main")
    assert body["faces"] == []
    assert body["quality"]["no_face"] == [1] * 5


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"points": "9"}, "bad_points"), ({"points": "4001"}, "bad_points"), ({"points": "many"}, "bad_points"),
        ({"from_s": "-1"}, "bad_from_s"), ({"from_s": "nan"}, "bad_from_s"), ({"to_s": "1e300"}, "bad_to_s"),
        ({"from_s": "3", "to_s": "2"}, "bad_to_s"), ({"face_id": "0"}, "bad_face_id"),
        ({"face_id": "x"}, "bad_face_id"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(site: Website, arguments: dict[str, str], code: str) -> None:
    site.done(TWO_FACES)
    assert_problem(site.client.get("/api/v1/videos/v/chart.json", query_string=arguments), 400, code)


def test_a_stretch_outside_the_recording_is_empty(site: Website) -> None:
    site.done(TWO_FACES)
    body = chart(site, from_s=50, to_s=60)
    assert body["faces"] == []
    assert body["quality"]["timestamp_s"] == []
    assert len(chart(site, from_s=0.1, to_s=0.1)["faces"]) == 2


def test_cells_are_on_a_grid_that_divides_every_bucket() -> None:
    assert np.log2(CELL_S) % 1 == 0


def test_cuts_of_the_stretch_are_told(site: Website) -> None:
    site.done(TWO_FACES)
    assert chart(site)["cuts_s"] == []
    with site.database.write() as session:
        video = videos.get(session, "v")
        video.summary = (video.summary or {}) | {"shots": [[0, 0.0], [4, 0.4], [9, 0.9]]}
    assert chart(site)["cuts_s"] == [0.4, 0.9]
    assert chart(site, from_s=0.5, to_s=1)["cuts_s"] == [0.9]
