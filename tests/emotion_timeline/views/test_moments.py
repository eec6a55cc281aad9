"""The strongest moments of a video, on SQLite and PostgreSQL, held to a plain reading of all its rows."""

from collections.abc import Sequence

import numpy as np
import pytest

from emotion_timeline.db.session import Database
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations
from emotion_timeline.views import cast, moments, shown
from emotion_timeline.views.moments import Moment
from tests.emotion_timeline.views.test_cast import finished, people
from tests.records import rows


def strongest(database: Database, per_emotion: int = 4) -> list[Moment]:
    with database.read() as session:
        return moments.strongest(session, "first", per_emotion)


def happy(frames: Sequence[int], probabilities: Sequence[float], tracklet: int = 0) -> Observations:
    """One face that is happy to a degree, and neutral for the rest."""
    block = rows(frames)
    block["face"] = block["tracklet"] = tracklet
    block["box"] = (300 * tracklet, 2, 30, 40)
    block["probabilities"] = 0
    block["probabilities"][:, EMOTIONS.index("happy")] = probabilities
    block["probabilities"][:, EMOTIONS.index("neutral")] = 1 - np.array(probabilities)
    return block


def read_plainly(database: Database, per_emotion: int, hidden: Sequence[int] = ()) -> list[tuple[str, int, int]]:
    """(emotion, face, frame), by looking at one row after the other."""
    with database.read() as session:
        table = [
            row
            for row in shown.read(session, "first", cast.shown(session, "first"))
            if row.probabilities and row.face_id not in hidden
        ]
    found = []
    for place, emotion in enumerate(EMOTIONS):
        peaks = []
        for face_id in sorted({row.face_id for row in table if row.face_id}):
            sure = [r for r in table if r.face_id == face_id and r.probabilities and r.probabilities[place] >= 0.5]
            plateau: list[tuple[float, int, int, float]] = []
            for row in sure:
                if plateau and row.timestamp_s - plateau[-1][3] >= 2:
                    peaks.append(min(plateau))
                    plateau = []
                assert row.probabilities is not None
                plateau.append((-row.probabilities[place], row.frame, face_id, row.timestamp_s))
            peaks += [min(plateau)] if plateau else []
        taken: list[tuple[float, int, int, float]] = []
        for peak in sorted(peaks):
            if len(taken) < per_emotion and all(abs(peak[3] - other[3]) >= 2 for other in taken):
                taken.append(peak)
        found += [(emotion, face_id, frame) for _, frame, face_id, _ in taken]
    return found


@pytest.mark.parametrize("per_emotion", [1, 4, 6])
def test_moments_are_those_of_a_plain_reading(database: Database, per_emotion: int) -> None:
    finished(database, [people(range(0, 400), seed=7), people(range(400, 1000), seed=8)])
    for hidden in ((), (2,)):
        found = strongest(database, per_emotion)
        assert [(m.emotion, m.face_id, m.frame) for m in found] == read_plainly(database, per_emotion, hidden)
        assert all(moment.probability >= 0.5 for moment in found)
        with database.write() as session:
            cast.hide(session, "first", 2)
    assert {moment.emotion for moment in found} == set(EMOTIONS), "or little was compared"


def test_a_plateau_gives_its_peak_alone_and_the_earliest_of_equals(database: Database) -> None:
    frames = range(60)
    finished(database, [happy(frames, [0.9 if 20 <= frame < 50 else 0.6 for frame in frames])])
    (moment,) = strongest(database)
    assert (moment.emotion, moment.face_id, moment.frame, moment.box) == ("happy", 1, 20, (0, 2, 30, 40))
    assert (moment.timestamp_s, moment.probability) == pytest.approx((2.0, 0.9))


def test_half_is_enough_and_less_is_not(database: Database) -> None:
    finished(database, [happy([0, 50], [0.5, 0.49])])
    assert [(m.emotion, m.frame) for m in strongest(database)] == [("happy", 0), ("neutral", 50)]


def test_moments_of_an_emotion_lie_two_seconds_apart_over_all_faces(database: Database) -> None:
    one, other = happy(range(30), [0.6] * 30), happy(range(30), [0.7 if f >= 10 else 0.1 for f in range(30)], 1)
    other["face"] = 1
    both = np.concatenate([one, other])
    finished(database, [both[np.lexsort((both["face"], both["frame"]))]])
    assert [(m.face_id, m.frame) for m in strongest(database) if m.emotion == "happy"] == [(2, 10)]
    with database.write() as session:
        cast.merge(session, "first", 2, 1)
    assert [(m.face_id, m.frame) for m in strongest(database) if m.emotion == "happy"] == [(1, 10)]
