"""Draw a face where a test wants one: skimage.data.astronaut(), a NASA portrait in the public domain."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_PORTRAIT = (65, 0, 380, 330)  # left, top, right, bottom of the face and shoulders in the astronaut image


def draw_face(size: tuple[int, int], x: float, y: float, scale: float) -> NDArray[np.uint8]:
    """Draw the demo's face on its background.

    Args:
        size: width and height of the picture.
        x, y: centre of the portrait, in pixels.
        scale: 1 for a portrait as large as the original, with a face of about 105 pixels.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    portrait, mask = portrait_and_mask()
    image = background(*size)
    paste(image, portrait, mask, x, y, scale)
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)


_FACE_PX = 90  # shorter side of the box that YuNet gives the portrait's face
_FACE_XY = (0.0, -0.136)  # from the portrait's centre to the face's, in parts of its height


def scatter_faces(
    size: tuple[int, int], faces_px: Sequence[int]
) -> tuple[NDArray[np.uint8], list[tuple[float, float, float]]]:
    """Draw a large picture with small faces all over it.

    Args:
        size: width and height of the picture.
        faces_px: shorter side of each face's box, in pixels.

    Returns:
        uint8 (height, width, 3), BGR, and of each face the centre's x and y and the side.
    """
    width, height = size
    image = np.full((height, width, 3), 150, np.uint8)
    columns = max(round((len(faces_px) * width / height) ** 0.5), 1)
    rows = -(-len(faces_px) // columns)
    faces = []
    for number, px in enumerate(faces_px):
        side = round(4.4 * px)
        patch = draw_face((side, side), side / 2, side / 2, px / _FACE_PX)
        x, y = (number % columns + 0.5) * width / columns, (number // columns + 0.5) * height / rows
        left = min(max(round(x - side / 2), 0), width - side)
        top = min(max(round(y - side / 2), 0), height - side)
        image[top : top + side, left : left + side] = patch
        portrait_px = 330 * px / _FACE_PX
        faces.append(
            (left + side / 2 + _FACE_XY[0] * portrait_px, top + side / 2 + _FACE_XY[1] * portrait_px, float(px))
        )
    return image, faces


def portrait_and_mask() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The face and shoulders, BGR, and which part of them is seen: float32 (h, w, 3) and (h, w)."""
    from skimage import data  # here, because only pictures of the face need it

    left, top, right, bottom = _PORTRAIT
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]
    portrait = astronaut[top:bottom, left:right, ::-1].astype(np.float32)
    return portrait, _rounded_mask(portrait.shape[1], portrait.shape[0])


def background(width: int, height: int) -> NDArray[np.float32]:
    """A soft light from above on grey: float32 (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = np.exp(-(((x - width * 0.5) / width) ** 2 * 2.2 + ((y - height * 0.2) / height) ** 2 * 1.6))
    dark, bright = np.array([96, 88, 84], np.float32), np.array([206, 204, 202], np.float32)
    return np.asarray(dark + light[..., None] * (bright - dark), np.float32)


def _rounded_mask(width: int, height: int) -> NDArray[np.float32]:
    mask = np.zeros((height, width), np.uint8)
    radius, edge = 28, 3
    cv2.rectangle(mask, (radius + edge, edge), (width - radius - edge, height - edge), 255, -1)
    cv2.rectangle(mask, (edge, radius + edge), (width - edge, height - radius - edge), 255, -1)
    for cx in (radius + edge, width - radius - edge):
        for cy in (radius + edge, height - radius - edge):
            cv2.circle(mask, (cx, cy), radius, 255, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2) / np.float32(255), np.float32)


def paste(
    image: NDArray[np.float32],
    portrait: NDArray[np.float32],
    mask: NDArray[np.float32],
    x: float,
    y: float,
    size: float,
) -> None:
    height, width = image.shape[:2]
    matrix = np.array([[size, 0, x - size * portrait.shape[1] / 2], [0, size, y - size * portrait.shape[0] / 2]])
    small = _shrink(portrait, size), _shrink(mask, size)
    matrix[:, :2] *= portrait.shape[1] / small[0].shape[1]
    placed, alpha = (cv2.warpAffine(part, matrix, (width, height), flags=cv2.INTER_LINEAR) for part in small)
    shadow = cv2.GaussianBlur(np.roll(alpha, 5, axis=0), (0, 0), 7) * 0.3
    image *= (1 - shadow)[..., None]
    image += alpha[..., None] * (placed - image)


def _shrink(image: NDArray[np.float32], size: float) -> NDArray[np.float32]:
    """Halve an image that will be shown small, against aliasing."""
    while size <= 0.5:
        image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
        size *= 2
    return image
