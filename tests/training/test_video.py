"""Networks compared on a video."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.classification import read_metadata
from tests.services import ASTRONAUT, REPOSITORY
from training.video import FaceTimeline, figures, main

PAPER = REPOSITORY / "models" / "paper"


def test_changes_of_the_likeliest_emotion_are_counted() -> None:
    labels = [EMOTIONS.index(name) for name in ("neutral", "neutral", "fear", "neutral", "happy")]
    timeline = FaceTimeline("a-1", np.array([0, 0.5, 1.0, 1.5, 2.0]), np.eye(7, dtype=np.float32)[labels])
    found = figures(timeline)
    assert found["runs"] == [["neutral", 2], ["fear", 1], ["neutral", 1], ["happy", 1]]
    assert (found["frames"], found["seconds"], found["changes_per_s"]) == (5, 2.0, 1.5)


def test_single_frame_has_no_changes() -> None:
    found = figures(FaceTimeline("a-1", np.array([3.0]), np.eye(7, dtype=np.float32)[[3]]))
    assert (found["changes_per_s"], found["runs"]) == (0.0, [["happy", 1]])


def test_report_on_a_video_is_added_to_the_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "paper"
    shutil.copytree(PAPER, folder)
    assert main([str(folder), str(PAPER), "--video", str(ASTRONAUT)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed[0] == printed[1]
    metadata = read_metadata(folder)
    assert metadata.validation["video"] == {"file": ASTRONAUT.name, "networks": printed}
    assert sum(frames for _, frames in printed[0]["runs"]) == printed[0]["frames"] > 0
    assert cv2.imread(str(folder / "video.png")) is not None
    card = (folder / "README.md").read_text()
    assert "(video.png)" in card
    assert f"training.video models/paper --video {ASTRONAUT.name}" in card


def test_video_without_a_face_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(picture), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for _ in range(5):
        writer.write(np.full((120, 160, 3), 128, np.uint8))
    writer.release()
    assert main([str(PAPER), "--video", str(picture)]) == 2
    assert "shows no face that is large enough" in capsys.readouterr().err
