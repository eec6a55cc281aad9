"""Random changes to training images, in NumPy so that they are the same on every Keras backend."""

import numpy as np
from numpy.typing import NDArray

MAX_SHIFT = 3  # pixels; about the spread of the eyes' places over FER2013's images


def augment(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Mirrors half of the images and shifts each by up to MAX_SHIFT pixels, repeating the edge.

    Args:
        images: uint8 (n, height, width, 1).
        rng: the source of the choices.

    Returns:
        uint8 (n, height, width, 1), new.
    """
    n, height, width, _ = images.shape
    mirror = np.asarray(rng.random(n) < 0.5)
    mirrored = np.where(mirror[:, None, None, None], images[:, :, ::-1], images)
    padded: NDArray[np.uint8] = np.pad(
        mirrored, ((0, 0), (MAX_SHIFT, MAX_SHIFT), (MAX_SHIFT, MAX_SHIFT), (0, 0)), mode="edge"
    )
    top, left = rng.integers(0, 2 * MAX_SHIFT + 1, (2, n))
    rows = top[:, None, None] + np.arange(height)[:, None]  # (n, height, 1)
    columns = left[:, None, None] + np.arange(width)  # (n, 1, width)
    shifted: NDArray[np.uint8] = padded[np.arange(n)[:, None, None], rows, columns]
    return shifted
