"""Detection, held to OpenCV's own decoder of the same network and to what can be seen in the pictures."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from emotion_timeline.errors import ModelError
from emotion_timeline.faces.detection import NMS_IOU, Detector, packaged_model

Image = NDArray[np.uint8]
MULTI_FACE = Path(__file__).parents[4] / "shared" / "data" / "videos" / "multi_face.jpg"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def astronaut(height: int = 512, width: int = 512) -> Image:
    """A public-domain portrait: uint8 (height, width, 3) BGR, cut at the right and below."""
    return np.ascontiguousarray(data.astronaut()[:height, :width, ::-1])  # type: ignore[no-untyped-call]


def crowd() -> Image:
    """Four portraits side by side at different sizes, uint8 (256, 592, 3)."""
    image = np.full((256, 592, 3), 90, np.uint8)
    left = 0
    for side in (256, 160, 112, 64):
        image[:side, left : left + side] = cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA)
        left += side
    return image


@pytest.mark.parametrize(
    "image",
    [astronaut(), astronaut(352, 384), astronaut(301, 333), crowd()],
    ids=["multiple-of-32-square", "multiple-of-32", "padded", "four-faces"],
)
def test_faces_equal_those_of_opencv_within_a_thousandth_of_a_pixel(detector: Detector, image: Image) -> None:
    assert_equals_opencv(detector, image, 0.6, least_faces=1)


def test_suppression_of_many_overlapping_boxes_equals_opencvs() -> None:
    """A threshold near zero leaves hundreds of boxes, some of which overlap by nearly the limit."""
    for image in (crowd(), astronaut()):
        assert_equals_opencv(Detector(score_threshold=0.005), image, 0.005, least_faces=20)


def assert_equals_opencv(detector: Detector, image: Image, score_threshold: float, least_faces: int) -> None:
    height, width = image.shape[:2]
    reference = cv2.FaceDetectorYN.create(str(packaged_model()), "", (width, height), score_threshold, NMS_IOU)
    expected = reference.detect(image)[1]
    expected = expected[np.lexsort((expected[:, 1], expected[:, 0]))]

    faces = detector.detect(image)

    assert len(faces) == len(expected) >= least_faces
    assert np.abs(faces.boxes_xywh - expected[:, :4]).max() < 1e-3
    assert np.abs(faces.landmarks.reshape(-1, 10) - expected[:, 4:14]).max() < 1e-3
    assert np.abs(faces.confidences - expected[:, 14]).max() < 1e-5


def test_landmarks_lie_on_the_astronauts_eyes(detector: Detector) -> None:
    faces = detector.detect(astronaut())
    assert len(faces) == 1
    right_eye, left_eye = faces.landmarks[0, :2]
    assert np.hypot(*(right_eye - (203, 101))) < 6  # pupils as read off the picture
    assert np.hypot(*(left_eye - (247, 103))) < 6


def test_faces_are_ordered_from_left_to_right(detector: Detector) -> None:
    faces = detector.detect(crowd())
    assert len(faces) == 4
    assert np.all(np.diff(faces.boxes_xywh[:, 0]) > 0)


@pytest.mark.skipif(not MULTI_FACE.exists(), reason="the photograph ../shared/data/videos/multi_face.jpg is not there")
def test_every_face_of_a_photograph_is_found(detector: Detector) -> None:
    assert len(detector.detect(np.asarray(cv2.imread(str(MULTI_FACE)), np.uint8))) == 5


@pytest.mark.parametrize("shape", [(1, 1, 3), (33, 70, 3), (480, 640, 3)])
def test_no_face_is_invented_on_a_blank_image(detector: Detector, shape: tuple[int, int, int]) -> None:
    faces = detector.detect(np.full(shape, 127, np.uint8))
    assert len(faces) == 0
    assert faces.boxes_xywh.shape == (0, 4)
    assert faces.landmarks.shape == (0, 5, 2)
    assert faces.boxes_xywh.dtype == faces.landmarks.dtype == faces.confidences.dtype == np.float32


def test_result_is_bit_identical_for_any_number_of_threads(detector: Detector) -> None:
    one, two = detector.detect(crowd()), Detector(threads=2).detect(crowd())
    assert one.boxes_xywh.tobytes() == two.boxes_xywh.tobytes()
    assert one.landmarks.tobytes() == two.landmarks.tobytes()


def test_threshold_drops_faces_below_it(detector: Detector) -> None:
    confidences = detector.detect(crowd()).confidences
    threshold = float(np.median(confidences))
    assert len(Detector(score_threshold=threshold).detect(crowd())) == np.count_nonzero(confidences >= threshold)


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32), np.zeros((0, 9, 3), np.uint8)]
)
def test_other_shapes_and_types_are_refused_with_a_sentence(detector: Detector, image: Image) -> None:
    with pytest.raises(ValueError, match=r"was expected.*convert"):
        detector.detect(image)


def test_another_file_overrides_the_packaged_one(tmp_path: Path) -> None:
    copy = tmp_path / "other.onnx"
    shutil.copy(packaged_model(), copy)
    assert len(Detector(path=copy).detect(astronaut())) == 1


@pytest.mark.parametrize("content", [None, b"", b"not a network"], ids=["missing", "empty", "text"])
def test_unusable_file_is_refused_with_its_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "detector.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"detector\.onnx"):
        Detector(path=path)
