"""Where pictures stand in a recording whose pictures change their size, as those of calls do.

A recording has one coordinate system, its canvas: the width and height that its VideoInfo states, which are its first
picture's as displayed. A picture of the same shape fills it; one of another shape is fitted and centred, between bars.
Faces are searched for, judged by size and cropped in the picture's own pixels, and told, linked and drawn in the
canvas's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""Width and height in pixels."""

_ROUNDING_PX = 2  # encoders round sides to even numbers: pictures that differ by less are of one shape


@dataclass(frozen=True)
class Placement:
    """The rectangle of the canvas that a picture fills.

    Attributes:
        left, top, width, height: in whole pixels of the canvas.
        picture: width and height of the picture as displayed, in its own pixels.
    """

    left: int
    top: int
    width: int
    height: int
    picture: Size

    def of_boxes(self, boxes_xywh: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes in pixels of the canvas, float32 (n, 4), from boxes in the picture's own pixels."""
        scale_xy = np.divide((self.width, self.height), self.picture, dtype=np.float32)
        offset = np.array([self.left, self.top, 0, 0], np.float32)
        return np.asarray(boxes_xywh * np.tile(scale_xy, 2) + offset, np.float32)


@dataclass(frozen=True)
class Canvas:
    """The coordinate system of a recording.

    Attributes:
        width, height: in pixels as displayed.
        pixel_aspect: width of a stored pixel divided by its height.
        rotate: 0, 90, 180 or 270 degrees clockwise, by which pictures are turned besides what the file says.
    """

    width: int
    height: int
    pixel_aspect: Fraction = Fraction(1)
    rotate: int = 0

    def place(self, picture: Size) -> Placement:
        """Where a picture stands.

        Args:
            picture: its width and height as displayed.
        """
        width, height = picture
        wider_px, higher_px = self.width * height / self.height - width, self.height * width / self.width - height
        if max(abs(wider_px), abs(higher_px)) < _ROUNDING_PX:
            return Placement(0, 0, self.width, self.height, picture)
        scale = min(self.width / width, self.height / height)
        fitted = max(round(width * scale), 1), max(round(height * scale), 1)
        return Placement((self.width - fitted[0]) // 2, (self.height - fitted[1]) // 2, *fitted, picture)

    def enlarged(self, pictures: Iterable[Size]) -> Size:
        """The size to show it at, so that the largest of these pictures is shown in about as many pixels as it has."""
        area = max((width * height for width, height in pictures), default=0)
        scale = max(sqrt(area / (self.width * self.height)), 1.0)
        return round(self.width * scale), round(self.height * scale)
