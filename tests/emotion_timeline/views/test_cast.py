"""Faces of a finished video, on SQLite and PostgreSQL: what they add up to, and what a person says of them."""

import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from emotion_timeline.config import Settings
from emotion_timeline.db import leases, videos, work
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Face, Segment, Step, Video, VideoStatus
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import Conflict, NotFound
from emotion_timeline.exports import tidy
from emotion_timeline.observations import Observations, Status, blank
from emotion_timeline.views import cast
from emotion_timeline.views.cast import Card, ShownFace
from tests.finished import finish_video
from tests.media.make import Clip, make_clip
from tests.records import add, analyse, claim, finish, plan, planned, rows, write
from tests.session import once


def finished(database: Database, segments: Sequence[Observations], video_id: str = "first", **changes: object) -> str:
    """A done video with these rows, a block for each segment."""
    add(database, video_id, **changes)
    end_s = float(segments[-1]["timestamp_s"].max()) + 0.1
    clip_end_s = changes.get("clip_end_s")
    analysed_s = clip_end_s if isinstance(clip_end_s, float) else end_s
    analyse(database, video_id, planned(segments, analysed_s), segments, {"duration_s": end_s})
    return video_id


def finish_again(database: Database, video_id: str) -> None:
    with database.write() as session:
        again = {"status": VideoStatus.RUNNING, "step": Step.FINISH, "due_at": leases.clock(session)}
        session.execute(update(Video).where(Video.id == video_id).values(again))
    finish(database, video_id)


def people(frames: range, people: int = 3, seed: int = 1) -> Observations:
    """Some people who sit side by side, each now and then away, too small, or surer than usual."""
    random = np.random.default_rng(seed + frames.start)
    blocks = [blank(0)]
    for frame in frames:
        there = [person for person in range(people) if random.random() < 0.9]
        block = blank(max(1, len(there)))
        block["frame"], block["timestamp_s"] = frame, frame / 10
        for place, person in enumerate(there):
            row = block[place : place + 1]
            row["face"], row["tracklet"], row["status"] = place, person, Status.OK
            row["confidence"], row["box"] = random.uniform(0.6, 1), (200 * person, 10, 50 + random.random(), 60)
            row["probabilities"] = random.dirichlet(np.full(7, 0.4))
            if random.random() < 0.2:
                row["status"], row["probabilities"] = Status.TOO_SMALL, np.nan
        blocks.append(block)
    return np.concatenate(blocks)


def read_csv(database: Database, video_id: str) -> pd.DataFrame:
    with database.read() as session:
        text = "".join(tidy.csv_lines(session, videos.get(session, video_id)))
    return pd.read_csv(io.StringIO(text))


def all_cards(database: Database, video_id: str = "first") -> dict[int, Card]:
    with database.read() as session:
        return {card.face_id: card for card in cast.cards(session, video_id)}


def all_shown(database: Database, video_id: str = "first") -> dict[int, ShownFace]:
    with database.read() as session:
        return cast.shown(session, video_id)


def assert_cards_are_those_of_the_csv(database: Database, video_id: str) -> None:
    """Every number of every card, from what a person can download."""
    table = read_csv(database, video_id)
    times = np.sort(table["timestamp"].unique())
    until = pd.Series(np.append(times[1:], times[-1] + 0.1), index=times)
    table["held_s"] = (table["timestamp"].map(until) - table["timestamp"]).clip(upper=1.0)
    table = once(table)
    cards = all_cards(database, video_id)
    assert set(cards) == set(table["face_id"].dropna().astype(int))
    for card in cards.values():
        seen = table[table["face_id"] == card.face_id]
        classified = seen[seen["status"] == "ok"]
        assert (card.sums.frames, card.sums.frames_classified) == (len(seen), len(classified))
        assert card.sums.first_timestamp_s == pytest.approx(seen["timestamp"].min())
        assert card.sums.last_timestamp_s == pytest.approx(seen["timestamp"].max())
        assert card.sums.on_screen_s == pytest.approx(seen["held_s"].sum())
        assert {e: n for e, n in card.sums.emotion_frames.items() if n} == classified[
            "emotion"
        ].value_counts().to_dict()
        assert list(card.sums.emotion_sums.values()) == pytest.approx(
            classified[list(EMOTIONS)].sum().tolist(), abs=1e-3
        )
        assert list(card.sums.means.values()) == pytest.approx(classified[list(EMOTIONS)].mean().tolist(), abs=1e-5)


def test_cards_add_up_to_what_the_csv_says(database: Database) -> None:
    video_id = finished(database, [people(range(0, 150)), people(range(150, 300)), people(range(300, 420))])
    cards = all_cards(database)
    assert set(cards) == {1, 2, 3}
    assert_cards_are_those_of_the_csv(database, video_id)
    table = read_csv(database, video_id)
    for card in cards.values():
        own = table[(table["face_id"] == card.face_id) & (table["status"] == "ok")]
        score = own["confidence"] ** 2 * own["box_w"] * own["box_h"]
        best = own[own["frame"] == card.best_frame].iloc[0]
        assert score[own["frame"] == card.best_frame].max() >= score.max() - 1, (
            "the best frame has the highest confidence times size"
        )
        assert card.best_box == pytest.approx([best[f"box_{c}"] for c in "xywh"], abs=0.01)
        assert card.best_timestamp_s == pytest.approx(best["timestamp"])


def test_the_earliest_of_equally_good_frames_is_the_best(database: Database) -> None:
    finished(database, [rows(range(4, 9)), rows(range(9, 12))])
    assert all_cards(database)[1].best_frame == 4


def test_a_face_that_was_never_classified_still_has_a_best_frame(database: Database) -> None:
    small = rows(range(3), faces=2)
    second = small["tracklet"] == 1
    small["box"][second], small["confidence"][4:] = (300, 2, 30, 40), 0.99
    small["status"][second], small["probabilities"][second] = Status.TOO_SMALL, np.nan
    finished(database, [small])
    card = all_cards(database)[2]
    assert (card.best_frame, card.sums.frames, card.sums.frames_classified) == (2, 3, 0)
    assert set(card.sums.shares.values()) == set(card.sums.means.values()) == {0.0}


def test_a_frame_of_a_recording_that_stops_stands_for_a_second(database: Database) -> None:
    """Where nothing moves for ten seconds nobody knows who is there."""
    still = rows(range(6))
    still["timestamp_s"] = [0, 0.1, 0.2, 10.2, 10.3, 10.4]
    still["tracklet"] = [0, 0, 0, 1, 1, 1]
    finished(database, [still])
    cards = all_cards(database)
    assert cards[1].sums.on_screen_s == pytest.approx(0.1 + 0.1 + 1.0)
    assert cards[2].sums.on_screen_s == pytest.approx(0.3), "the last frame lasts until the recording's end"


def test_a_frame_of_a_time_lapse_stands_until_the_next(database: Database) -> None:
    lapse = rows(range(6))
    lapse["timestamp_s"] = np.arange(6) * 5.0
    finished(database, np.split(lapse, [1, 2, 3, 4, 5]))
    assert all_cards(database)[1].sums.on_screen_s == pytest.approx(25 + 0.1)


def test_a_sparse_sample_stands_for_the_time_to_the_next(database: Database) -> None:
    sparse = rows([0, 20, 40])
    finished(database, [sparse], sample_hz=0.5)
    assert all_cards(database)[1].sums.on_screen_s == pytest.approx(2 + 2 + 0.1)


@pytest.mark.parametrize("segment_s", [1.0, 600.0])
@pytest.mark.parametrize(
    ("pts", "on_screen_s"),
    [([50 * n for n in range(6)], 25.0), ([*range(10), *range(25, 35)], 0.9 + 1.0 + 0.9)],
    ids=["a frame in 5 s", "a frame that stands for 1.6 s"],
)
def test_a_face_is_one_however_long_its_frames_stand_and_segments_are(
    tmp_path: Path, segment_s: float, pts: list[int], on_screen_s: float
) -> None:
    clip = Clip("a.mp4", frames=len(pts), rate=10, pts=pts, options={"g": "1", "threads": "1"})
    make_clip(clip, tmp_path / clip.name)
    database = Database(f"sqlite:///{tmp_path / 'timeline.db'}")
    migrate(database)
    finish_video(database, Settings(data_dir=tmp_path / "data", segment_s=segment_s), tmp_path / clip.name)
    (card,) = all_cards(database, "v").values()
    assert card.sums.frames == len(pts)
    # The file knows how long its last frame lasts: up to as long as those before it.
    assert on_screen_s < card.sums.on_screen_s <= on_screen_s + 5.1
    database.close()


def test_the_last_frame_of_a_clip_lasts_until_the_clip_ends(database: Database) -> None:
    finished(database, [rows(range(10, 21))], clip_start_s=1.0, clip_end_s=2.05)
    assert all_cards(database)[1].sums.on_screen_s == pytest.approx(1.0 + 0.05)


def test_merging_counts_faces_as_one_everywhere_and_splitting_undoes_it(database: Database) -> None:
    video_id = finished(database, [people(range(0, 100))])
    before, csv_before = all_cards(database), read_csv(database, video_id)
    with database.write() as session:
        cast.rename(session, video_id, 1, "Participant 1")
        cast.merge(session, video_id, 3, 1)
    assert all_shown(database) == {
        1: ShownFace(1, "Participant 1", False), 2: ShownFace(2, None, False), 3: ShownFace(1, "Participant 1", False),
    }  # fmt: skip
    merged = all_cards(database)
    assert (set(merged), merged[1].merged, merged[1].label) == ({1, 2}, (3,), "Participant 1")
    assert merged[1].sums.frames < before[1].sums.frames + before[3].sums.frames, "a frame with both counts once"
    assert merged[1].sums.on_screen_s <= 10
    assert_cards_are_those_of_the_csv(database, video_id)
    table = read_csv(database, video_id)
    assert list(table.columns) == list(tidy.CSV_COLUMNS)
    assert (table["face_id"] == 1).sum() == csv_before["face_id"].isin([1, 3]).sum()
    assert set(table.loc[table["face_id"] == 1, "face_name"]) == {"Participant 1"}
    changed = ["face_id", "face_name"]
    assert table.drop(columns=changed).equals(csv_before.drop(columns=changed))
    with database.read() as session:
        sidecar = tidy.sidecar(session, videos.get(session, video_id), "0")
    assert sidecar["faces"] == 3, "as many as were followed"
    assert [tuple(track.values())[:4] for track in sidecar["face_tracks"]] == [
        (1, "Participant 1", False, [3]), (2, None, False, []),
    ]  # fmt: skip
    with database.write() as session:
        cast.split(session, video_id, 3)
        cast.split(session, video_id, 3)  # nothing happens
        cast.rename(session, video_id, 1, None)
    assert all_cards(database) == before
    assert read_csv(database, video_id).equals(csv_before)


def test_chains_of_merges_have_one_level(database: Database) -> None:
    video_id = finished(database, [people(range(0, 30), people=4)])
    with database.write() as session:
        cast.merge(session, video_id, 1, 2)
        cast.merge(session, video_id, 2, 3)  # takes 1 along
        cast.merge(session, video_id, 4, 1)  # goes where 1 is
    assert {face_id: face.face_id for face_id, face in all_shown(database).items()} == {1: 3, 2: 3, 3: 3, 4: 3}
    with database.read() as session:
        assert cast.card(session, video_id, 4) == cast.card(session, video_id, 3)
    with database.write() as session:
        cast.split(session, video_id, 2)
    assert {face_id: face.face_id for face_id, face in all_shown(database).items()} == {1: 3, 2: 2, 3: 3, 4: 3}


def test_a_merge_that_makes_no_sense_is_refused(database: Database) -> None:
    video_id = finished(database, [people(range(0, 30))])
    with database.write() as session:
        cast.merge(session, video_id, 1, 2)
    for face_id, into, error, words in (
        (2, 2, Conflict, "can't be merged into itself"),
        (2, 1, Conflict, "Face 1 is merged into face 2 already; split it off first"),
        (1, 9, NotFound, "There is no face 9"),
        (9, 1, NotFound, "There is no face 9"),
    ):
        with pytest.raises(error, match=words), database.write() as session:
            cast.merge(session, video_id, face_id, into)
    changes: list[Callable[[Session, str, int], None]] = [cast.hide, cast.show, partial(cast.rename, name="A")]
    with database.write() as session:
        for change in changes:
            with pytest.raises(Conflict, match="Face 1 is merged into face 2"):
                change(session, video_id, 1)
    assert {face_id: face.face_id for face_id, face in all_shown(database).items()} == {1: 2, 2: 2, 3: 3}


def test_a_hidden_face_loses_nothing(database: Database) -> None:
    video_id = finished(database, [people(range(0, 30))])
    before, csv_before = all_cards(database), read_csv(database, video_id)
    with database.write() as session:
        cast.hide(session, video_id, 2)
    assert [face.hidden for face in all_shown(database).values()] == [False, True, False]
    assert read_csv(database, video_id).equals(csv_before)
    with database.write() as session:
        cast.show(session, video_id, 2)
    assert all_cards(database) == before


def test_finishing_again_keeps_what_a_person_said(database: Database) -> None:
    video_id = finished(database, [people(range(0, 30))])
    with database.write() as session:
        cast.rename(session, video_id, 1, "Anna")
        cast.merge(session, video_id, 3, 1)
        cast.hide(session, video_id, 2)
    before = all_cards(database)
    finish_again(database, video_id)
    assert all_cards(database) == before


def test_a_face_that_is_gone_after_finishing_again_takes_its_merges_along(database: Database) -> None:
    video_id = finished(database, [people(range(0, 30))])
    with database.write() as session:
        session.add(Face(**{**columns_of(session.get_one(Face, (video_id, 3))), "face_id": 9}))
        session.flush()
        cast.merge(session, video_id, 2, 9)
    finish_again(database, video_id)
    assert {face_id: face.face_id for face_id, face in all_shown(database).items()} == {1: 1, 2: 2, 3: 3}


def columns_of(face: Face) -> dict[str, object]:
    return {column.key: getattr(face, column.key) for column in Face.__table__.columns}


def stored(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Face)) or 0


def test_faces_go_with_their_video_and_are_not_there_before_it_is_done(database: Database) -> None:
    video_id = finished(database, [people(range(0, 30))])
    waiting = add(database, "waiting")
    plan(database, waiting)
    with pytest.raises(Conflict, match="this one is running"), database.write() as session:
        cast.rename(session, waiting, 1, "A")
    with database.write() as session:
        videos.remove(session, video_id)
    assert stored(database) == 0
    with pytest.raises(NotFound, match="no video with the id 'first'"), database.write() as session:
        cast.rename(session, video_id, 1, "A")


def test_who_comes_back_is_one_face_with_two_tracks_and_what_people_say_of_faces_goes_on(database: Database) -> None:
    """Three people side by side in two segments that lie apart: the first two come back in each other's place."""
    add(database)
    first, later = rows(range(4), faces=3), rows(range(40, 44), faces=3)
    for part in (first, later):
        part["box"][:, 0] = part["face"] * 200
    own = np.eye(128, dtype=np.float32)[:3]
    with database.write() as session:
        step = work.claim_step(session, "first", Step.PLAN, 60, 1)
        assert step is not None
        work.save_plan(session, step, planned([first, later], 4.4), {"duration_s": 4.4})
    with database.read() as session:
        ids = session.scalars(select(Segment.id).order_by(Segment.number)).all()
    for segment_id, part, order in zip(ids, (first, later), ([0, 1, 2], [1, 0, 2]), strict=True):
        held = claim(database, segment_id)
        assert held is not None
        write(database, held, [part], {number: own[person] for number, person in enumerate(order[:2])})
    finish(database, "first")
    table = read_csv(database, "first")
    assert table.groupby("track_id")["face_id"].unique().map(list).to_dict() == {
        1: [1], 2: [2], 3: [3], 4: [2], 5: [1], 6: [4],
    }, "the third has no embedding"  # fmt: skip
    with database.write() as session:
        cast.rename(session, "first", 3, "Ada")
        cast.merge(session, "first", 4, into=3)
        cast.hide(session, "first", 1)
    finish_again(database, "first")
    with database.read() as session:
        sidecar = tidy.sidecar(session, videos.get(session, "first"), "1.0")
    assert [(f["face_id"], f["name"], f["hidden"], f["track_ids"]) for f in sidecar["face_tracks"]] == [
        (1, None, True, [1, 5]), (2, None, False, [2, 4]), (3, "Ada", False, [3, 6]),
    ]  # fmt: skip
    assert all(card.sums.frames == 8 for card in all_cards(database).values())
