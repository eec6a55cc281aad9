"""A face that is calm, smiles and is calm again: the one free portrait at hand smiles, so its calm is painted.

skimage.data.astronaut(), a NASA portrait in the public domain, is shown as it is in the middle. Before and after, her
mouth is painted over with the skin around it and closed lips are drawn, with corners that hang a little. It shows that
a changing mouth becomes a changing timeline, not that the network knows people's smiles; ../shared/data has those.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.media.make import Clip, encode

SMILE = Clip("smile.mp4", options={"crf": "16"}, size=(314, 330), rate=10, frames=24)
_STEPS = (0.2, 0.3)  # parts of the clip in which the smile comes; it goes in the same way from the end
_MOUTH_XY, _SKIN, _LIPS = (154, 145), (27, 13), (13, 2)  # centre and half axes in the portrait, pixels
_LIPS_BGR = (70, 75, 120)
_HANG, _REACH = 12.0, (30.0, 22.0)  # how far the corners are bent down, and how far that reaches, pixels


def make_smile(path: Path) -> None:
    """Write the clip."""
    encode(SMILE, _frames(), path)


def _frames() -> Iterator[NDArray[np.uint8]]:
    from skimage import data  # here, because only this clip needs it

    width, height = SMILE.size
    smiling = np.ascontiguousarray(data.astronaut()[:height, 65 : 65 + width, ::-1])  # type: ignore[no-untyped-call]
    calm = _hanging(_closed(smiling)).astype(np.float32)
    for number in range(SMILE.frames):
        place = number / (SMILE.frames - 1)
        share = np.interp(min(place, 1 - place), _STEPS, (0.0, 1.0))
        yield np.rint(calm + share * (smiling - calm)).astype(np.uint8)


def _closed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(mask, _MOUTH_XY, _SKIN, 0, 0, 360, 255, -1)
    painted = cv2.inpaint(image, mask, 5, cv2.INPAINT_TELEA)
    x, y = _MOUTH_XY
    cv2.ellipse(painted, (x, y + 1), _LIPS, 0, 0, 360, _LIPS_BGR, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(painted, (0, 0), 0.7), np.uint8)


def _hanging(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    across, along = x - _MOUTH_XY[0], y - _MOUTH_XY[1]
    near = np.exp(-((np.abs(across) / _REACH[0]) ** 4) - (np.abs(along) / _REACH[1]) ** 4)
    down = _HANG * ((across / 20) ** 2 - 0.3) * near
    return np.asarray(cv2.remap(image, x, y - down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
