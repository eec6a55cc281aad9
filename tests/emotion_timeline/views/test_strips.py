"""Strips, on SQLite and PostgreSQL, against a plain computation."""

import numpy as np
import pytest

from emotion_timeline.db import videos, work
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Step
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, Status
from emotion_timeline.results import finish
from emotion_timeline.views import strips
from tests.records import ATTEMPTS, add, claim, plan, rows, write


def stored(database: Database, observations: Observations) -> str:
    """A video of one segment with these rows; its id."""
    video_id = add(database, info={"duration_s": 1.0})
    frames = len(np.unique(observations["frame"]))
    (segment_id,) = plan(database, video_id, segments=1, frames=frames)
    claimed = claim(database, segment_id)
    assert claimed is not None
    write(database, claimed, [observations])
    return video_id


def strip_of(database: Database, video_id: str, start_s: float, end_s: float) -> str:
    with database.read() as session:
        return strips.measure(session, video_id, start_s, end_s)


def showing(emotions: str, interval_s: float = 0.1) -> Observations:
    """A frame for each character: an emotion's index, or one of - x and s (too small)."""
    observations = rows(range(len(emotions)))
    observations["timestamp_s"] = np.arange(len(emotions)) * interval_s
    for row, character in zip(observations, emotions, strict=True):
        if character.isdigit():
            row["probabilities"] = np.eye(7)[int(character)] * 0.6 + 0.4 / 7
        else:
            row["status"] = {"-": Status.NO_FACE, "x": Status.DECODE_ERROR, "s": Status.TOO_SMALL}[character]
            row["probabilities"] = np.nan
    return observations


def test_every_frame_of_a_short_video_has_its_stretch(database: Database) -> None:
    for interval_s in (0.1, 1 / 3, 1 / 29.97):  # times that no binary number hits exactly
        text = "0123456-xs" * 6
        video_id = stored(database, showing(text, interval_s))
        assert strip_of(database, video_id, 0, 60 * interval_s) == text.replace("s", "-")
        with database.write() as session:
            videos.remove(session, video_id)


def test_a_stretch_shows_the_highest_mean_over_all_faces(database: Database) -> None:
    observations = rows(range(240), faces=2)
    random = np.random.default_rng(5)
    observations["timestamp_s"] = observations["frame"] / 24
    observations["probabilities"] = random.dirichlet(np.full(7, 0.2), len(observations))
    lacking = random.random(len(observations)) < 0.5
    observations["status"][lacking] = Status.TOO_SMALL
    observations["probabilities"][lacking] = np.nan
    expected = ""
    for stretch in range(120):
        probabilities = observations["probabilities"][observations["frame"] // 2 == stretch].astype(float)
        known = probabilities[~np.isnan(probabilities[:, 0])]
        expected += str(int(np.argmax(known.mean(axis=0)))) if len(known) else "-"
    assert strip_of(database, stored(database, observations), 0, 10) == expected
    assert "-" in expected


@pytest.mark.parametrize(("mixed", "shown"), [("-x", "-"), ("xx", "x"), ("x3", "3"), ("-3", "3"), ("s-", "-")])
def test_a_classified_face_is_told_before_its_absence_and_that_before_damage(
    database: Database, mixed: str, shown: str
) -> None:
    video_id = stored(database, showing(mixed * 120))
    assert strip_of(database, video_id, 0, 24) == shown * 120


def test_a_frame_stands_until_the_next_one(database: Database) -> None:
    observations = showing("3335555566")
    observations["timestamp_s"] = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 9.0, 9.5]  # a still picture from 0.7 to 9
    assert strip_of(database, stored(database, observations), 0, 10) == "5555555556"


def test_a_strip_covers_the_range_that_is_asked_for(database: Database) -> None:
    video_id = stored(database, showing("0" * 10 + "3" * 10))
    assert strip_of(database, video_id, 0, 2) == "0" * 10 + "3" * 10
    assert strip_of(database, video_id, -2, 2) == "0" * 15 + "3" * 5  # begins with what its first frame shows
    assert strip_of(database, video_id, 0, 0) != ""


def test_a_video_without_frames_has_an_empty_strip(database: Database) -> None:
    assert strip_of(database, add(database), 0, 1) == ""


def test_finishing_adds_the_strip(database: Database) -> None:
    video_id = stored(database, showing("3333"))
    with database.write() as session:
        videos.get(session, video_id).info = {"duration_s": 0.4}
        finishing = work.claim_step(session, video_id, Step.FINISH, 60, ATTEMPTS)
        assert finishing is not None
        finish(session, finishing)
    with database.read() as session:
        assert (videos.get(session, video_id).summary or {})["strip"] == str(EMOTIONS.index("happy")) * 4
