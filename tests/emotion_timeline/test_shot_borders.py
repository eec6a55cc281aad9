"""A recording that cuts from one picture to another, whose face is where the first one was."""

from pathlib import Path

import numpy as np
import pandas as pd

from emotion_timeline.analysis import analyze_file
from emotion_timeline.config import Settings
from emotion_timeline.faces.persons import ALIKE
from tests.media.make import Clip, encode

FRAMES = 24
# Keyframes at 1.0 s and 2.0 s, so that the cut at 1.0 s may lie between two segments.
CUT = Clip("cut.mp4", options={"crf": "16", "g": "10", "sc_threshold": "0"}, size=(314, 330), rate=10, frames=FRAMES)


def make_cut(path: Path) -> None:
    from skimage import data

    width, height = CUT.size
    person = np.ascontiguousarray(data.astronaut()[:height, 65 : 65 + width, ::-1])  # type: ignore[no-untyped-call]
    encode(CUT, [person] * 10 + [person[:, ::-1]] * (FRAMES - 10), path)


def test_a_track_ends_at_a_cut_and_the_person_goes_on_whatever_the_segments(tmp_path: Path) -> None:
    make_cut(tmp_path / CUT.name)
    tables = {}
    for segment_s in (1.0, 600.0):
        output = tmp_path / f"{segment_s}.csv"
        settings = Settings(segment_s=segment_s, data_dir=tmp_path)
        sidecar = analyze_file(settings, tmp_path / CUT.name, output, None)
        assert sidecar["shots"] == [
            {"shot": 1, "first_frame": 0, "first_timestamp_s": 0.0},
            {"shot": 2, "first_frame": 10, "first_timestamp_s": 1.0},
        ]
        assert [(face["face_id"], face["track_ids"]) for face in sidecar["face_tracks"]] == [(1, [1, 2])]
        assert sidecar["persons"] == {
            "grouped": True,
            "embedder": {"name": "face_recognition_sface_2021dec", "sha256": "0ba9fbfa"},
            "least_similarity": ALIKE,
        }
        tables[segment_s] = pd.read_csv(output)
    whole = tables[600.0]
    assert whole["shot"].tolist() == whole["track_id"].tolist() == [1] * 10 + [2] * (FRAMES - 10)
    assert set(whole["face_id"]) == {1}, "a mirrored face is the same person's"
    pd.testing.assert_frame_equal(tables[1.0], whole)
    before, after = whole.iloc[9], whole.iloc[10]
    assert abs(float(before["box_x"]) - float(after["box_x"])) < float(before["box_w"]) / 4, "in the same place"


def test_without_persons_each_track_is_a_face(tmp_path: Path) -> None:
    make_cut(tmp_path / CUT.name)
    settings = Settings(persons=False, data_dir=tmp_path)
    sidecar = analyze_file(settings, tmp_path / CUT.name, tmp_path / "off.csv", None)
    rows = pd.read_csv(tmp_path / "off.csv")
    assert rows["face_id"].tolist() == rows["track_id"].tolist() == [1] * 10 + [2] * (FRAMES - 10)
    assert sidecar["persons"] == {"grouped": False, "embedder": None, "least_similarity": None}
