"""Pictures cut out of frames, as JPEG: a whole frame, a face, a face with what is around it."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_QUALITY = 85
_WHOLE_PX = 320  # longest side
_FACE_PX = 160
_FACE_MARGIN = 1.7  # side of the square over the longer side of the box
_SCENE_SIZE = (320, 180)
_SCENE_MARGIN = 2.6  # height of the scene over that of the box

Image = NDArray[np.uint8]
"""uint8 (H, W, 3), BGR."""
Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""


def whole(image: Image) -> Image:
    """The picture, made small."""
    scale = min(_WHOLE_PX / max(image.shape[:2]), 1)
    return _resized(image, max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))


def face(image: Image, box: Box) -> Image:
    """A square around a face."""
    side = max(box[2:]) * _FACE_MARGIN
    return _resized(_cut(image, box, side, side), _FACE_PX, _FACE_PX)


def scene(image: Image, box: Box) -> Image:
    """A wide picture around a face, as large as the frame allows."""
    width, height = _SCENE_SIZE
    tall = max(box[3], box[2] * height / width) * _SCENE_MARGIN
    return _resized(_cut(image, box, tall * width / height, tall), width, height)


def _cut(image: Image, box: Box, width: float, height: float) -> Image:
    """A part of these proportions around the box's centre, moved and made smaller so that it lies in the picture."""
    shrink = min(image.shape[1] / width, image.shape[0] / height, 1)
    width, height = max(round(width * shrink), 1), max(round(height * shrink), 1)
    x = min(max(round(box[0] + box[2] / 2 - width / 2), 0), image.shape[1] - width)
    y = min(max(round(box[1] + box[3] / 2 - height / 2), 0), image.shape[0] - height)
    return image[y : y + height, x : x + width]


def _resized(image: Image, width: int, height: int) -> Image:
    smaller = width < image.shape[1]
    return np.asarray(
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8
    )


def write(path: Path, image: Image) -> None:
    """Store as JPEG; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    path.write_bytes(encoded.tobytes())
