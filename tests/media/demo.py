"""The demo clip, astronaut.mp4: a portrait comes, goes, shrinks and meets another. The only clip that is committed."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.media.make import Clip, encode
from tests.media.portrait import background, paste, portrait_and_mask

DEMO = Clip(
    "astronaut.mp4",
    options={"preset": "slow", "crf": "23", "g": "50", "threads": "1", "tune": "film"},
    size=(640, 360),
    rate=25,
    frames=350,
)
# Where the portrait is over time: second, centre x and y in pixels, size (1: as large as the original).
_PATH = (
    (0.0, 230, 180, 0.85),
    (2.6, 430, 180, 0.85),
    (4.6, 330, 190, 1.35),
    (5.4, 320, 190, 1.35),
    (7.2, 200, 170, 0.28),
    (8.0, 260, 170, 0.28),
    (9.2, 960, 180, 1.0),
    (9.24, -330, 180, 1.0),  # one frame later, unseen, on the other side
    (10.0, -330, 180, 1.0),
    (11.6, 180, 180, 0.8),
    (14.0, 190, 185, 0.8),
)
_SECOND_PATH = ((0.0, 960, 185, 0.8), (11.0, 960, 185, 0.8), (12.3, 460, 185, 0.8), (14.0, 450, 180, 0.8))


def draw_demo() -> Iterator[NDArray[np.uint8]]:
    """Draw the demo clip's frames: uint8 (360, 640, 3), BGR."""
    portrait, mask = portrait_and_mask()
    width, height = DEMO.size
    behind = background(width, height)
    for number in range(DEMO.frames):
        image = behind.copy()
        for path in (_PATH, _SECOND_PATH):
            x, y, size = _place(path, number / DEMO.rate)
            paste(image, portrait, mask, x, y, size)
        yield np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _place(path: Sequence[tuple[float, float, float, float]], second: float) -> tuple[float, float, float]:
    """Position and size at a time, easing in and out of every stretch."""
    for (start, *before), (end, *after) in pairwise(path):
        if second <= end:
            share = (second - start) / (end - start)
            eased = share * share * (3 - 2 * share)
            x, y, size = (a + (b - a) * eased for a, b in zip(before, after, strict=True))
            return x, y, size
    return path[-1][1:]


def make_demo(path: Path) -> None:
    """Write the demo clip."""
    encode(DEMO, draw_demo(), path)
