"""One number, one place: what list, chart, cards, summaries and the JSON file tell is what the tidy CSV adds up to."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, Status, blank
from tests.records import analyse, planned
from tests.session import once
from tests.website import INFO, Website, text_of

Segments = Sequence[Observations]


def people(frames: range, step_s: float, start_s: float = 0.0, people: int = 3) -> Observations:
    """Some people side by side, each now and then away, too small, or seen in moods of their own that change slowly."""
    random = np.random.default_rng(frames.start)
    blocks = [blank(0)]
    for frame in frames:
        there = [person for person in range(people) if random.random() < 0.8]
        block = blank(max(1, len(there)))
        block["frame"], block["timestamp_s"] = frame, start_s + frame * step_s
        for place, person in enumerate(there):
            mood = np.full(7, 0.3) + 2 * np.eye(7)[(3 + person + (frame > 40)) % 7]
            block["face"][place], block["tracklet"][place] = place, person
            block["box"][place], block["confidence"][place] = (200 * person, 10, 50, 60), random.choice([0.7, 0.8, 0.9])
            small = random.random() < 0.1
            block["status"][place] = Status.TOO_SMALL if small else Status.OK
            block["probabilities"][place] = np.nan if small else random.dirichlet(mood)
        if not there and frame % 2:
            block["status"] = Status.DECODE_ERROR
        blocks.append(block)
    return np.concatenate(blocks)


def with_a_pause() -> Segments:
    """Two segments, and ten seconds between them for which the picture stands still."""
    late = people(range(50, 90), 0.1)
    late["timestamp_s"] += 10
    return [people(range(0, 50), 0.1), late]


def hours() -> Segments:
    """More frames than a chart reads as rows: nearly all of one face, and for a while of two."""
    rows = blank(20_400)
    rows["frame"], rows["timestamp_s"] = np.arange(20_400), np.arange(20_400) / 10
    rows["face"], rows["tracklet"], rows["status"], rows["confidence"], rows["box"] = 0, 0, 0, 0.8, (10, 10, 50, 60)
    rows["probabilities"] = np.random.default_rng(1).dirichlet(np.full(7, 0.5), len(rows))
    more = people(range(20_400, 20_500), 0.1)
    return [*np.split(rows, [7_001, 14_002]), more]


RECORDINGS: dict[str, tuple[Segments, float, dict[str, Any]]] = {
    "two segments": ([people(range(0, 50), 0.1), people(range(50, 80), 0.1)], 8.0, {}),
    "a pause": (with_a_pause(), 19.0, {}),
    "a clip": ([people(range(0, 60), 0.1, 3.0)], 30.0, {"clip_start_s": 3.0, "clip_end_s": 9.05}),
    "sparse samples": ([people(range(0, 30), 2.0)], 61.0, {"sample_hz": 0.5}),
    "a time-lapse": ([people(range(frame, frame + 1), 5.0, people=1) for frame in range(9)], 45.0, {}),
    "long": (hours(), 2050.0, {}),
}


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest, site: Website) -> float:
    """A video that is done; when what is analysed of it ends."""
    parts, duration_s, changes = RECORDINGS[request.param]
    end_s: float = changes.get("clip_end_s", duration_s)
    info = INFO | {"duration_s": duration_s, "frame_count": 20_500}
    analyse(site.database, site.queued(info=info, **changes), planned(parts, end_s), parts, info)
    return end_s


def csv(site: Website, name: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(site.client.get(f"/api/v1/videos/v/{name}").text))


def get(site: Website, path: str) -> Any:
    answer = site.client.get(f"/api/v1/videos/v{path}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def shares(rows: pd.DataFrame) -> dict[str, float]:
    """Each emotion's share of the classified rows."""
    found = rows["emotion"].value_counts(normalize=True)
    return {emotion: float(found.get(emotion, 0.0)) for emotion in EMOTIONS}


def stands(rows: pd.DataFrame, end_s: float) -> pd.Series:
    """How long the frame of each row stands."""
    times = np.sort(rows["timestamp"].unique())
    steps = np.diff(times)
    longest = max(1.0, 2.5 * float(np.median(steps)))
    return rows["timestamp"].map(pd.Series(np.clip([*steps, end_s - times[-1]], 0, longest), index=times))


def assert_all_agree(site: Website, end_s: float) -> None:
    rows = csv(site, "timeline.csv")
    rows["stands"] = stands(rows, end_s)
    tracks = {track["face_id"]: track for track in get(site, "/timeline.json")["face_tracks"]}
    hidden = [face_id for face_id, track in tracks.items() if track["hidden"]]
    counting = once(rows.dropna(subset="face_id"))
    seen = counting[~counting["face_id"].isin(hidden)]
    assert_the_whole_agrees(site, shares(seen), int(seen["emotion"].notna().sum()))
    summary, seconds = csv(site, "per-face.csv").set_index("face_id"), csv(site, "per-second.csv")
    cards = {card["face_id"]: card for card in get(site, "/faces")["faces"]}
    assert set(cards) == set(tracks) == set(counting["face_id"])
    assert set(summary.index) == set(cards) - set(hidden)
    for face_id, own in counting.groupby("face_id"):
        card, expected = cards[face_id], shares(own)
        assert card["frames"] == len(own)
        assert card["emotion_shares"] == pytest.approx(expected, abs=1e-6)
        assert tracks[face_id]["emotion_shares"] == card["emotion_shares"]
        assert card["on_screen_s"] == pytest.approx(own["stands"].sum(), abs=1e-3)
        assert tracks[face_id]["time_on_screen"] == pytest.approx(own["stands"].sum(), abs=1e-4)
        if face_id in hidden:
            continue
        row = summary.loc[face_id]
        assert (row["frames"], row["frames_ok"]) == (len(own), own["emotion"].notna().sum())
        assert [row[f"share_{emotion}"] for emotion in EMOTIONS] == pytest.approx(list(expected.values()), abs=1e-6)
        assert row["time_on_screen"] == pytest.approx(own["stands"].sum(), abs=1e-4)
        parts = seconds[seconds["face_id"] == face_id]
        assert (parts["frames"].sum(), parts["frames_ok"].sum()) == (row["frames"], row["frames_ok"])
        means = parts[list(EMOTIONS)].mul(parts["frames_ok"], axis=0).sum() / row["frames_ok"]
        assert means.tolist() == pytest.approx([row[f"mean_{emotion}"] for emotion in EMOTIONS], abs=1e-5)
        assert get(site, f"/chart.json?face_id={face_id:.0f}")["summary"]["emotion_shares"] == card["emotion_shares"]
    assert_a_stretch_agrees(site, seen)


def assert_the_whole_agrees(site: Website, expected: dict[str, float], classified: int) -> None:
    video = get(site, "")
    assert sum(video["emotion_frames"].values()) == classified
    assert get(site, "/timeline.json")["emotion_shares"] == pytest.approx(expected, abs=1e-6)
    chart = get(site, "/chart.json")["summary"]
    assert chart["emotion_frames"] == video["emotion_frames"]
    assert chart["emotion_shares"] == pytest.approx(expected, abs=1e-6)
    first = max(expected, key=expected.__getitem__)
    words = f"{100 * expected[first]:.0f} %"
    assert f"{first} {words}" in text_of(site.client.get("/").text).lower()
    assert f"Most often {first} ({words})" in text_of(chart["sentence"])


def assert_a_stretch_agrees(site: Website, seen: pd.DataFrame) -> None:
    """A chart that is zoomed in tells of what it shows."""
    from_s, to_s = seen["timestamp"].quantile([0.25, 0.75])
    face_id = seen["face_id"].mode()[0]
    own = seen[(seen["face_id"] == face_id) & seen["timestamp"].between(from_s - 1e-6, to_s + 1e-6)]
    found = get(site, f"/chart.json?face_id={face_id:.0f}&from_s={from_s}&to_s={to_s}")["summary"]
    assert sum(found["emotion_frames"].values()) == own["emotion"].notna().sum()
    assert found["emotion_shares"] == pytest.approx(shares(own), abs=1e-6)


@pytest.mark.slow
def test_every_place_tells_what_the_csv_adds_up_to(site: Website, recording: float) -> None:
    assert_all_agree(site, recording)
    if len(get(site, "/faces")["faces"]) < 3:
        return
    changes: list[dict[str, Any]] = [{"hidden": True}, {"hidden": False}, {"merged_into": 1}, {"merged_into": None}]
    for face_id, change in [(2, {"merged_into": 1}), *((3, change) for change in changes)]:
        assert site.client.patch(f"/api/v1/videos/v/faces/{face_id}", json=change).status_code == 200
        assert_all_agree(site, recording)
