"""Crops, held to a plain NumPy reference, and the one path that training and serving share."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from emotion_timeline.errors import ModelError
from emotion_timeline.faces.detection import Detector
from emotion_timeline.faces.preprocessing import Preprocessing, crop_faces, eye_transform, prepare_image

PARAMS = Preprocessing()
# The astronaut's eyes, nose and mouth as YuNet finds them.
LANDMARKS = np.array([[200.1, 101.8], [247.1, 102.6], [220.4, 124.5], [198.6, 142.8], [239.7, 143.6]], np.float32)

Grey = NDArray[np.uint8]


def astronaut() -> Grey:
    """The portrait in grey, uint8 (512, 512)."""
    return np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), np.uint8)  # type: ignore[no-untyped-call]


def face(scale: float = 1.0, degrees: float = 0.0) -> tuple[Grey, NDArray[np.float32]]:
    """The portrait enlarged and turned about the nose, with its landmarks."""
    size = round(512 * scale)
    turn = cv2.getRotationMatrix2D((size * 0.43, size * 0.24), degrees, 1.0)
    grey = cv2.warpAffine(cv2.resize(astronaut(), (size, size), interpolation=cv2.INTER_AREA), turn, (size, size))
    points = LANDMARKS * scale @ turn[:, :2].T + turn[:, 2]
    return np.asarray(grey, np.uint8), points[None].astype(np.float32)


def reference_crop(luma: Grey, landmarks: NDArray[np.float32], params: Preprocessing) -> NDArray[np.float64]:
    """Each crop pixel as the mean of 16x16 bilinear samples spread evenly over the area that it covers."""
    samples = 16
    at = (np.arange(params.size * samples) + 0.5) / samples
    crop_xy1 = np.stack([*np.meshgrid(at, at), np.ones((len(at), len(at)))])
    x, y = np.einsum("ij,jyx->iyx", eye_transform(landmarks[0], landmarks[1], params), crop_xy1) - 0.5
    height, width = luma.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)  # repeats the frame's edge
    left, top = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    dx, dy = x - left, y - top
    grey = luma.astype(np.float64)
    upper = grey[top, left] * (1 - dx) + grey[top, left + 1] * dx
    lower = grey[top + 1, left] * (1 - dx) + grey[top + 1, left + 1] * dx
    values: NDArray[np.float64] = upper * (1 - dy) + lower * dy
    blocks = values.reshape(params.size, samples, params.size, samples)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float64)


@pytest.mark.parametrize("degrees", [0, 17, -90, 180])
@pytest.mark.parametrize("scale", [0.4, 1.0, 3.3])
def test_crop_equals_area_mean_of_the_aligned_face(scale: float, degrees: float) -> None:
    luma, landmarks = face(scale, degrees)
    error = crop_faces(luma, landmarks, PARAMS)[0, ..., 0] - reference_crop(luma, landmarks[0], PARAMS)
    assert np.abs(error).mean() < 0.8
    assert np.percentile(np.abs(error), 99) < 4


def test_noise_of_a_large_face_is_averaged_away() -> None:
    luma, landmarks = face(4.0)
    noisy = np.clip(luma + np.random.default_rng(0).normal(0, 25, luma.shape), 0, 255).astype(np.uint8)
    difference = crop_faces(noisy, landmarks, PARAMS) - crop_faces(luma, landmarks, PARAMS).astype(float)
    assert difference.std() < 4  # bilinear samples alone leave about 17


def test_eyes_come_to_lie_where_they_lie_in_fer2013() -> None:
    """Small white discs drawn on the eyes are found at the positions that the model's metadata states."""
    luma = np.zeros((400, 600), np.uint8)
    landmarks = np.zeros((1, 5, 2), np.float32)
    landmarks[0, :2] = (250, 180), (330, 120)
    for x, y in landmarks[0, :2]:
        cv2.circle(luma, (int(x), int(y)), 6, 255, -1)
    crop = crop_faces(luma, landmarks, PARAMS)[0, ..., 0].astype(float)
    columns, rows = np.meshgrid(np.arange(48) + 0.5, np.arange(48) + 0.5)
    for half, eye in ((columns < 24, PARAMS.right_eye_xy), (columns >= 24, PARAMS.left_eye_xy)):
        weights = crop * half
        centre = np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()
        assert np.abs(centre - np.multiply(eye, 48)).max() < 0.3


def test_crop_does_not_depend_on_the_faces_size_or_turn() -> None:
    upright = crop_faces(*face(), PARAMS).astype(float)
    for scale, degrees in ((2.0, 0), (1.0, 25), (3.0, -40)):
        assert np.abs(crop_faces(*face(scale, degrees), PARAMS) - upright).mean() < 3


@pytest.mark.parametrize("shift", [(-200, -90), (300, 400), (-5000, 9000)], ids=["corner", "far-corner", "outside"])
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_face_beyond_the_border_repeats_the_frames_edge(shift: tuple[int, int], scale: float) -> None:
    luma, landmarks = face(scale)
    landmarks = landmarks + np.float32(scale) * np.array(shift, np.float32)
    error = crop_faces(luma, landmarks, PARAMS)[0, ..., 0] - reference_crop(luma, landmarks[0], PARAMS)
    assert np.abs(error).mean() < 2


def test_crop_of_a_tiny_frame_is_filled() -> None:
    landmarks = np.array([[[1, 1], [2, 1], [1, 2], [1, 2], [2, 2]]], np.float32)
    assert np.all(crop_faces(np.full((3, 2), 70, np.uint8), landmarks * 100, PARAMS) == 70)


def test_eyes_at_one_point_still_give_a_crop() -> None:
    assert crop_faces(astronaut(), np.full((1, 5, 2), 100, np.float32), PARAMS).shape == (1, 48, 48, 1)


@pytest.mark.parametrize("faces", [0, 1, 3])
def test_crops_come_one_per_face(faces: int) -> None:
    luma, landmarks = face()
    crops = crop_faces(luma, np.repeat(landmarks, faces, axis=0), PARAMS)
    assert crops.shape == (faces, 48, 48, 1)
    assert crops.dtype == np.uint8


@pytest.mark.parametrize("denoise", ["none", "median", "gaussian", "bilateral"])
def test_training_and_serving_make_identical_arrays(denoise: Any) -> None:
    """The served crop without noise removal, given to training as if it were an image of FER2013, ends as served."""
    luma, landmarks = face()
    plain = crop_faces(luma, landmarks, PARAMS)[0, ..., 0]
    params = Preprocessing(denoise=denoise)
    assert np.array_equal(prepare_image(plain, params), crop_faces(luma, landmarks, params)[0, ..., 0])


@pytest.mark.parametrize("denoise", ["median", "gaussian", "bilateral"])
def test_noise_removal_removes_noise(denoise: Any) -> None:
    flat = np.full((48, 48), 128, np.uint8)
    noisy = np.clip(flat + np.random.default_rng(1).normal(0, 8, flat.shape), 0, 255).astype(np.uint8)
    assert prepare_image(noisy, Preprocessing(denoise=denoise)).std() < 0.75 * noisy.std()


@pytest.mark.parametrize("shape", [(48, 48), (96, 96), (30, 30), (200, 150)])
def test_image_of_any_size_becomes_the_networks_size(shape: tuple[int, int]) -> None:
    image = np.asarray(cv2.resize(astronaut(), shape[::-1]), np.uint8)
    assert prepare_image(image, PARAMS).shape == (48, 48)


def test_image_of_the_networks_size_is_left_as_it_is() -> None:
    image = astronaut()[100:148, 200:248]
    assert np.array_equal(prepare_image(image, PARAMS), image)


def test_detected_face_is_framed_as_in_fer2013() -> None:
    """The crop, enlarged and given to the detector again, has its eyes where FER2013's images have theirs."""
    luma, landmarks = face(degrees=8)
    crop = crop_faces(luma, landmarks, PARAMS)[0]
    enlarged = np.asarray(cv2.cvtColor(cv2.resize(crop, (288, 288)), cv2.COLOR_GRAY2BGR), np.uint8)
    found = Detector().detect(enlarged).landmarks[0, :2] / 288
    assert np.abs(found - [PARAMS.right_eye_xy, PARAMS.left_eye_xy]).max() < 0.04


def test_parameters_survive_the_models_metadata() -> None:
    params = Preprocessing(40, (0.3, 0.4), (0.7, 0.4), "median", "-1..1")
    assert Preprocessing.from_metadata(params.to_metadata()) == params


@pytest.mark.parametrize(
    "change",
    [
        {"size": None},
        {"size": 2},
        {"denoise": "wavelet"},
        {"scaling": "0..255"},
        {"right_eye_xy": [0.9, 0.4]},
        {"left_eye_xy": 3},
        {"colour": "grey"},
    ],
    ids=str,
)
def test_unusable_metadata_is_refused_with_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"preprocessing"):
        Preprocessing.from_metadata({**PARAMS.to_metadata(), **change})


@pytest.mark.parametrize("field", ["size", "right_eye_xy", "left_eye_xy", "denoise", "scaling"])
def test_no_field_of_the_metadata_is_filled_in_silently(field: str) -> None:
    metadata = PARAMS.to_metadata()
    del metadata[field]
    with pytest.raises(ModelError, match="metadata"):
        Preprocessing.from_metadata(metadata)
