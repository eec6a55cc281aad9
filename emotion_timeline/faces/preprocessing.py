"""Grey 48x48 crops, the one path by which an image reaches the network, in training and in serving.

FER2013's images are already cropped to the face, so they are only resized (if need be) and denoised: prepare_image.
A face in a video is first turned, scaled and shifted so that its eyes lie where they lie in FER2013: crop_faces.
Values stay uint8 0-255; scaling them to the range that the network wants is the network's first layer.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.errors import ModelError

Denoise = Literal["none", "median", "gaussian", "bilateral"]
Scaling = Literal["0..1", "-1..1"]
Point = tuple[float, float]

# Samples across one pixel of the crop. Mean error against exact area means, grey levels: 1.7 at 2, 0.5 at 3 and 4.
MAX_OVERSAMPLING = 3


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How crops are made; stored with the model as metadata.json's "preprocessing".

    Attributes:
        size: width and height of a crop in pixels.
        right_eye_xy, left_eye_xy: where the eyes come to lie, as fractions of the size from the crop's top left corner.
            Right and left are the person's: the right eye is on the image's left. The defaults are FER2013's geometry:
            medians of YuNet's landmarks over 2,959 training images, made symmetric about the vertical axis
            (`python -m training.measure_alignment`).
        denoise: the noise removal applied to the finished crop.
        scaling: the range to which the network's first layer brings 0-255. For the record only: nothing here scales.
    """

    size: int = 48
    right_eye_xy: Point = (0.315, 0.384)
    left_eye_xy: Point = (0.685, 0.384)
    denoise: Denoise = "none"
    scaling: Scaling = "0..1"

    def __post_init__(self) -> None:
        """Raises ModelError where a value is outside what the code below can do."""
        problems = []
        if not 8 <= self.size <= 1024:
            problems.append(f"size must be 8 to 1024 pixels, found {self.size}")
        if not 0 <= self.right_eye_xy[0] < self.left_eye_xy[0] <= 1:
            problems.append(
                f"the right eye must lie left of the left eye within 0 to 1, found x {self.right_eye_xy[0]} and "
                f"{self.left_eye_xy[0]}"
            )
        for name, allowed in (("denoise", get_args(Denoise)), ("scaling", get_args(Scaling))):
            if getattr(self, name) not in allowed:
                problems.append(f"{name} must be one of {', '.join(allowed)}, found {getattr(self, name)!r}")
        if problems:
            raise ModelError(f"The model's preprocessing can't be used: {'; '.join(problems)}.")

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> "Preprocessing":
        """Reads what to_metadata wrote.

        Raises:
            ModelError: a field is missing, unknown or out of range.
        """
        try:
            values = {**metadata}
            for eye in ("right_eye_xy", "left_eye_xy"):
                x, y = values[eye]
                values[eye] = (float(x), float(y))
            values["size"] = int(values["size"])
            values["denoise"], values["scaling"]  # no field may come from a default: the model decides
            return cls(**values)
        except (KeyError, TypeError, ValueError) as exc:
            raise ModelError(
                "The model's metadata.json should describe its preprocessing by size, right_eye_xy, left_eye_xy, "
                f"denoise and scaling, but has {dict(metadata)}."
            ) from exc

    def to_metadata(self) -> dict[str, Any]:
        """The fields as JSON-able values."""
        return {**asdict(self), "right_eye_xy": list(self.right_eye_xy), "left_eye_xy": list(self.left_eye_xy)}


def crop_faces(luma: NDArray[np.uint8], landmarks: NDArray[np.float32], params: Preprocessing) -> NDArray[np.uint8]:
    """Cuts faces out of a grey frame, upright and at FER2013's scale.

    Args:
        luma: uint8 (H, W), 0-255.
        landmarks: float32 (n, 5, 2), x, y in luma's pixels; the first two are the right and the left eye.
        params: size and eye positions of the crops, noise removal.

    Returns:
        uint8 (n, size, size, 1). What lies outside the frame repeats the frame's edge.
    """
    crops = np.empty((len(landmarks), params.size, params.size, 1), dtype=np.uint8)
    for crop, points in zip(crops, landmarks, strict=True):
        crop[..., 0] = prepare_image(_cut(luma, points[0], points[1], params), params)
    return crops


def prepare_image(grey: NDArray[np.uint8], params: Preprocessing) -> NDArray[np.uint8]:
    """Makes the network's input of an image that is already cropped to a face, as FER2013's are.

    Args:
        grey: uint8 (h, w), 0-255.
        params: size and noise removal.

    Returns:
        uint8 (size, size).
    """
    if grey.shape != (params.size, params.size):
        enlarges = min(grey.shape) < params.size
        interpolation = cv2.INTER_LINEAR if enlarges else cv2.INTER_AREA
        grey = np.asarray(cv2.resize(grey, (params.size, params.size), interpolation=interpolation), np.uint8)
    return _denoise(grey, params.denoise)


def _denoise(grey: NDArray[np.uint8], method: Denoise) -> NDArray[np.uint8]:
    """3x3 windows: at 48x48 an eye is 8 pixels wide, anything larger takes the expression with the noise."""
    match method:
        case "none":
            return grey
        case "median":
            return np.asarray(cv2.medianBlur(grey, 3), np.uint8)
        case "gaussian":
            return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), np.uint8)
        case "bilateral":
            return np.asarray(cv2.bilateralFilter(grey, d=3, sigmaColor=25, sigmaSpace=1), np.uint8)


def eye_transform(
    right_eye: NDArray[np.float32], left_eye: NDArray[np.float32], params: Preprocessing
) -> NDArray[np.float64]:
    """The similarity transform (turn, scale, shift; no mirroring) that carries crop pixels to frame pixels.

    Coordinates are continuous: the first pixel spans 0 to 1 and its centre is 0.5.

    Args:
        right_eye, left_eye: x, y in the frame.
        params: the same eyes' positions in the crop.

    Returns:
        float64 (2, 3), frame_xy = matrix @ (crop_x, crop_y, 1).
    """
    crop_right, crop_left = (complex(*eye) * params.size for eye in (params.right_eye_xy, params.left_eye_xy))
    frame_right, frame_left = (complex(float(eye[0]), float(eye[1])) for eye in (right_eye, left_eye))
    turn = (frame_left - frame_right) / (crop_left - crop_right)  # a complex number: scale and angle
    shift = frame_right - turn * crop_right
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _cut(
    luma: NDArray[np.uint8], right_eye: NDArray[np.float32], left_eye: NDArray[np.float32], params: Preprocessing
) -> NDArray[np.uint8]:
    """Samples one crop without aliasing: each of its pixels is about the mean of the area that it covers.

    A large face is first shrunk by a whole factor (area mean), then sampled `oversampling` times as densely as the crop
    and averaged. Plain bilinear sampling would pick single pixels of a large face and leave its noise and JPEG edges,
    which FER2013's images, shrunk from photographs, do not have.

    Returns:
        uint8 (size * oversampling, size * oversampling), for prepare_image to average.
    """
    matrix = eye_transform(right_eye, left_eye, params)
    scale = max(math.hypot(matrix[0, 0], matrix[1, 0]), 1e-6)  # frame pixels per crop pixel
    shrink = min(max(1, math.ceil(scale / MAX_OVERSAMPLING)), *luma.shape)
    oversampling = max(1, math.ceil(scale / shrink))
    patch, left, top = _patch(luma, matrix, params.size, shrink)
    side = params.size * oversampling
    # Continuous crop coordinates -> continuous patch coordinates; the halves turn pixel numbers into centres and back.
    to_patch = matrix / shrink
    to_patch[:, 2] -= (left / shrink, top / shrink)
    to_patch[:, :2] /= oversampling
    to_patch[:, 2] += to_patch[:, :2].sum(axis=1) / 2 - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(patch, to_patch, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _patch(
    luma: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, shrink: int
) -> tuple[NDArray[np.uint8], int, int]:
    """The part of the frame that a crop covers, shrunk by a whole factor, and its left top corner in the frame."""
    height, width = luma.shape
    corners = matrix @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
    margin = 2 * shrink
    left, top = (int(v) for v in np.floor(corners.min(axis=1)) - margin)
    right, bottom = (int(v) for v in np.ceil(corners.max(axis=1)) + margin)
    # Not empty even where the face lies outside of the frame, and a whole number of shrunk pixels.
    left, top = min(max(left, 0), max(width - shrink, 0)), min(max(top, 0), max(height - shrink, 0))
    right, bottom = max(min(right, width), left + shrink), max(min(bottom, height), top + shrink)
    right -= (right - left) % shrink
    bottom -= (bottom - top) % shrink
    patch = luma[top:bottom, left:right]
    if shrink > 1:
        size_wh = ((right - left) // shrink, (bottom - top) // shrink)
        patch = np.asarray(cv2.resize(patch, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    return patch, left, top
