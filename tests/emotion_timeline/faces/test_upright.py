"""Faces that stand turned are noticed, by their scores: their landmarks look the same."""

import cv2
import numpy as np
import pytest

from emotion_timeline.faces.detection import Detector
from emotion_timeline.faces.upright import CHECKS, checked, quarter_turns
from emotion_timeline.turning import suggested_rotate, turn_of, warning
from tests.media.portrait import draw_face

_CLOCKWISE = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("scale", [0.5, 0.9, 1.3])
def test_a_turned_picture_tells_how_to_turn_it_back(detector: Detector, quarters: int, scale: float) -> None:
    image = draw_face((640, 360), 320, 180, scale)
    turn = _CLOCKWISE[quarters]
    turned = image if turn is None else np.asarray(cv2.rotate(image, turn), np.uint8)
    assert quarter_turns(detector, turned) == -quarters % 4
    large = np.asarray(cv2.resize(turned, None, fx=2, fy=2), np.uint8)
    assert quarter_turns(detector, large) == -quarters % 4


def test_a_picture_without_a_face_tells_nothing(detector: Detector) -> None:
    assert quarter_turns(detector, np.full((360, 640, 3), 90, np.uint8)) is None


def test_a_few_frames_of_each_segment_are_looked_at() -> None:
    assert checked(np.arange(100, 600)) == {100, 225, 350, 474, 599}
    assert checked(np.array([7, 9])) == {7, 9}
    assert len(checked(np.arange(CHECKS + 1))) == CHECKS


@pytest.mark.parametrize(
    ("votes", "turn"),
    [
        ([], 0),
        ([None, [0, 0, 0, 0]], 0),
        ([[5, 0, 0, 0], [5, 0, 0, 0]], 0),
        ([[0, 5, 0, 0], [1, 4, 0, 0]], 90),
        ([[0, 0, 2, 0]], 180),
        ([[0, 0, 0, 1]], 0),  # one frame is too little to go by
        ([[3, 0, 0, 3]], 0),
        ([[2, 0, 0, 3]], 270),
    ],
)
def test_most_frames_decide(votes: list[list[int] | None], turn: int) -> None:
    assert turn_of(votes) == turn


def test_warning_says_what_to_do() -> None:
    assert warning(0, 90) is None and suggested_rotate(0, 90) is None
    assert "by 90 degrees clockwise. Analyse the recording again with rotate 90." in str(warning(90, 0))
    assert "by 90 degrees counterclockwise. Analyse the recording again with rotate 180." in str(warning(270, 270))
