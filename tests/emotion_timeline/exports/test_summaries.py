"""The summaries, on both databases, held to what pandas makes of the tidy CSV."""

import numpy as np
import pandas as pd

from emotion_timeline.db.session import Database
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.dictionary import PER_FACE, PER_SECOND, TIDY
from emotion_timeline.views import cast
from tests.session import finished, once, read_back, session_rows

STATUSES = ["ok", "too_small", "no_face", "decode_error"]
MEANS = list(EMOTIONS)


def assert_seconds_are_those_of_the_rows(seconds: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Frames and means of each second and face, computed from the tidy rows."""
    keys = ["second", "face_id"]
    rows = rows.assign(second=(rows["timestamp"] // 1).astype(int), rank=rows["status"].map(STATUSES.index))
    rows = once(rows)
    rows, seconds = rows.fillna({"face_id": 0}), seconds.fillna({"face_id": 0}).set_index(keys).sort_index()
    frames = rows.groupby([*keys, "frame"])["rank"].min().reset_index()
    counts = frames.groupby(keys)["rank"].value_counts().unstack(fill_value=0)
    assert seconds.index.tolist() == counts.index.tolist()
    for place, status in enumerate(STATUSES):
        expected = counts[place] if place in counts else 0 * counts.iloc[:, 0]
        assert seconds[f"frames_{status}"].tolist() == expected.tolist()
    assert seconds["frames"].tolist() == counts.sum(axis=1).tolist()
    means = rows.groupby(keys)[MEANS].mean()
    np.testing.assert_allclose(seconds[MEANS], means, atol=2e-6)
    shown = seconds[seconds["frames_ok"] > 0]
    assert shown["dominant"].tolist() == shown[MEANS].idxmax(axis=1).tolist()
    assert seconds.loc[seconds["frames_ok"] == 0, [*MEANS, "dominant"]].isna().all().all()


def test_means_per_second_are_those_of_the_tidy_rows(database: Database) -> None:
    video_id = finished(database, session_rows())
    seconds, rows = read_back(database, video_id, PER_SECOND), read_back(database, video_id, TIDY)
    assert_seconds_are_those_of_the_rows(seconds, rows)
    assert set(seconds["second"]) == {0, 1, 3, 4}, "the third second has no frame"
    assert seconds["face_id"].isna().any() and seconds["frames_decode_error"].sum() > 0
    in_order = seconds.sort_values(["second", "face_id"], na_position="last")
    assert in_order.index.tolist() == seconds.index.tolist()


def test_a_time_that_is_rounded_up_counts_for_the_second_that_is_shown(database: Database) -> None:
    rows = session_rows()
    assert 0.999999 < rows["timestamp_s"][rows["timestamp_s"] < 1].max() < 1
    tidy = read_back(database, finished(database, rows), TIDY)
    assert (tidy["timestamp"] == 1).any()


def test_summary_per_face_is_that_of_the_tidy_rows(database: Database) -> None:
    video_id = finished(database, session_rows())
    summary, rows = read_back(database, video_id, PER_FACE).set_index("face_id"), read_back(database, video_id, TIDY)
    seen = rows.dropna(subset="face_id").groupby("face_id")
    assert summary.index.tolist() == [1, 2, 3]
    assert summary["frames"].tolist() == seen["frame"].nunique().tolist()
    for status in ("ok", "too_small"):
        expected = (rows["status"] == status).groupby(rows["face_id"]).sum()
        assert summary[f"frames_{status}"].tolist() == expected.tolist()
    assert summary["frames_too_small"].sum() > 0
    np.testing.assert_allclose(summary["first_timestamp"], seen["timestamp"].min())
    np.testing.assert_allclose(summary["last_timestamp"], seen["timestamp"].max())
    np.testing.assert_allclose(summary[[f"mean_{e}" for e in EMOTIONS]], seen[MEANS].mean(), atol=2e-6)
    shares = rows.groupby("face_id")["emotion"].value_counts(normalize=True).unstack(fill_value=0)[MEANS]
    np.testing.assert_allclose(summary[[f"share_{e}" for e in EMOTIONS]], shares, atol=2e-6)
    np.testing.assert_allclose(summary["mean_confidence"], seen["confidence"].mean(), atol=1e-4)

    times = rows.groupby("frame")["timestamp"].first()
    lasts = (times.shift(-1).fillna(5.0) - times).clip(upper=1.0)
    once = rows.dropna(subset="face_id").drop_duplicates(["face_id", "frame"])
    on_screen = once["frame"].map(lasts).groupby(once["face_id"]).sum()
    np.testing.assert_allclose(summary["time_on_screen"], on_screen, atol=1e-5)


def test_merged_faces_are_one_and_named_ones_have_their_names(database: Database) -> None:
    video_id = finished(database, session_rows())
    with database.write() as session:
        cast.rename(session, video_id, 1, "=Ada, \N{LATIN SMALL LETTER O WITH DIAERESIS}")
        cast.merge(session, video_id, 3, into=1)
    seconds, rows = read_back(database, video_id, PER_SECOND), read_back(database, video_id, TIDY)
    assert set(rows["face_id"].dropna()) == {1, 2}
    assert rows.duplicated(["frame", "face_id"]).any(), "some frames show both"
    assert_seconds_are_those_of_the_rows(seconds, rows)
    assert set(seconds.loc[seconds["face_id"] == 1, "face_name"]) == {"'=Ada, ö"}
    assert seconds.loc[seconds["face_id"] != 1, "face_name"].isna().all()
    summary = read_back(database, video_id, PER_FACE).set_index("face_id")
    assert summary.loc[1, "frames"] == rows.loc[rows["face_id"] == 1, "frame"].nunique()
    np.testing.assert_allclose(
        summary.loc[1, [f"mean_{e}" for e in EMOTIONS]].astype(float),
        once(rows).loc[rows["face_id"] == 1, MEANS].mean(),
        atol=2e-6,
    )


def test_hidden_faces_are_left_out_unless_asked_for_and_their_frames_still_count(database: Database) -> None:
    video_id = finished(database, session_rows())
    whole, summary = read_back(database, video_id, PER_SECOND), read_back(database, video_id, PER_FACE)
    with database.write() as session:
        cast.hide(session, video_id, 1)
    shown, rows = read_back(database, video_id, PER_SECOND), read_back(database, video_id, TIDY)
    assert 1 in set(rows["face_id"]), "the tidy CSV has everything"
    assert set(shown["face_id"].dropna()) == {2, 3}
    alone = rows.groupby("frame")["face_id"].agg(set) == {1.0}
    assert alone.any()
    blank = whole["face_id"].isna()
    assert shown["frames_no_face"].sum() == whole.loc[blank, "frames_no_face"].sum() + alone.sum()
    assert read_back(database, video_id, PER_FACE)["face_id"].tolist() == [2, 3]
    pd.testing.assert_frame_equal(read_back(database, video_id, PER_SECOND, hidden=True), whole)
    pd.testing.assert_frame_equal(read_back(database, video_id, PER_FACE, hidden=True), summary)
