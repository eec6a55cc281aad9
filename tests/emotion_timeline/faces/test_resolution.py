"""Faces of 40 pixels and more are found in pictures of any size, and so are those that fill them."""

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from emotion_timeline.faces.detection import Detector
from emotion_timeline.media.canvas import Canvas
from emotion_timeline.media.pictures import MAX_SHRINK, PictureConverter
from emotion_timeline.pipeline import MIN_FACE_PX
from tests.media.portrait import draw_face, scatter_faces


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def to_search(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in which faces are searched for."""
    return PictureConverter(640).convert(VideoFrame.from_ndarray(image, format="bgr24"))[1]


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160), (7680, 4320)])
def test_no_face_is_lost_in_large_pictures(detector: Detector, size: tuple[int, int]) -> None:
    image, faces = scatter_faces(size, [MIN_FACE_PX, 100, 60, 80, MIN_FACE_PX + 1, 50])
    picture = to_search(image)
    found = detector.search(picture)
    boxes = found.boxes_xywh * (size[0] / picture.shape[1])
    assert len(boxes) == len(faces), "none is lost, and none invented"
    for x, y, px in faces:
        away = np.hypot(*(boxes[:, :2] + boxes[:, 2:] / 2 - (x, y)).T)
        assert away.min() < px / 4
        assert boxes[away.argmin(), 2:].min() == pytest.approx(px, rel=0.2)


@pytest.mark.parametrize("share", [0.3, 0.9, 1.6])
@pytest.mark.parametrize("size", [(960, 540), (1920, 1080)])
def test_a_face_that_fills_a_large_picture_is_found_once(
    detector: Detector, size: tuple[int, int], share: float
) -> None:
    scale = share * size[1] / 115
    found = detector.search(draw_face(size, size[0] / 2, size[1] / 2 + 45 * scale, scale))
    assert len(found) == 1
    assert found.boxes_xywh[0, 3] == pytest.approx(share * size[1], rel=0.25)
    assert found.boxes_xywh[0, :2] + found.boxes_xywh[0, 2:] / 2 == pytest.approx(np.divide(size, 2), rel=0.15)


@pytest.mark.parametrize(
    ("size", "searched"),
    [
        ((320, 180), (320, 180)),
        ((640, 360), (640, 360)),
        ((1280, 720), (640, 360)),
        ((720, 1280), (360, 640)),
        ((1920, 1080), (960, 540)),
        ((3840, 2160), (1920, 1080)),
    ],
)
def test_pictures_are_searched_at_640_pixels_or_half_their_size(
    size: tuple[int, int], searched: tuple[int, int]
) -> None:
    assert to_search(np.zeros((*size[::-1], 3), np.uint8)).shape[1::-1] == searched
    assert MIN_FACE_PX / MAX_SHRINK == 20


def test_ordinary_pictures_are_searched_once(detector: Detector) -> None:
    """The numbers are those of one search, to the bit."""
    for size in ((640, 360), (640, 640)):
        image = draw_face(size, size[0] / 2, size[1] / 2, 1.0)
        once, found = detector.detect(image), detector.search(image)
        assert len(found) == 1
        assert np.array_equal(found.boxes_xywh, once.boxes_xywh)
        assert np.array_equal(found.landmarks, once.landmarks)


def test_a_canvas_changes_no_box_of_an_ordinary_recording() -> None:
    boxes = np.array([[10.3, 20.7, 30.1, 40.9]], np.float32)
    assert np.array_equal(Canvas(640, 360).place((640, 360)).of_boxes(boxes), boxes)
