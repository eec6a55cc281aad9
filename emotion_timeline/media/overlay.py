"""Draw faces over a picture: a box in the colour of the emotion, and a line of text that can be read on anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import normalize

import cv2
import numpy as np
from numpy.typing import NDArray

# The emotions' colours of web/static/http/style.css, those for dark surroundings; a test holds them to it.
COLOURS = {
    "angry": "#ed6c2a",
    "disgust": "#1fb98a",
    "fear": "#f4a7c1",
    "happy": "#f2b631",
    "sad": "#3f93d8",
    "surprise": "#85cdf6",
    "neutral": "#8a8e9a",
}
_DARK = (24, 18, 16)  # BGR
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_PX = 22  # height of a capital letter at scale 1
_TEXT_SHARE = 0.028  # of the picture's shorter side
_LEAST_TEXT_PX = 9


@dataclass(frozen=True)
class DrawnFace:
    """What to draw.

    Attributes:
        box: x, y, width, height in pixels of the picture.
        label: what the face is called.
        emotion: the most probable; None where the face is too small to tell.
        probability: its probability, 0-1; None likewise.
    """

    box: tuple[float, float, float, float]
    label: str
    emotion: str | None
    probability: float | None

    @property
    def text(self) -> str:
        """As in "P1 happy 87 %"."""
        if self.emotion is None or self.probability is None:
            return self.label
        return f"{self.label} {self.emotion} {self.probability * 100:.0f} %"


def drawable(label: str) -> str | None:
    """A label in the letters that the font has, without accents where it must be; None where others are left."""
    plain = "".join(c for c in normalize("NFKD", label) if c.isascii() and c.isprintable())
    kept = [c for c in normalize("NFC", label) if normalize("NFKD", c)[0].isascii()]
    return plain if plain.strip() and len(kept) == len(normalize("NFC", label)) else None


def draw_faces(image: NDArray[np.uint8], faces: Iterable[DrawnFace]) -> None:
    """Draw boxes, then all texts over them.

    Args:
        image: uint8 (H, W, 3), BGR; it is drawn on.
        faces: what to draw.
    """
    text_px = max(min(image.shape[:2]) * _TEXT_SHARE, _LEAST_TEXT_PX)
    line_px = max(round(text_px / 7), 1)
    drawn = list(faces)
    for face in drawn:
        x, y, w, h = face.box
        corners = (round(x), round(y)), (round(x + w), round(y + h))
        cv2.rectangle(image, *corners, _DARK, line_px * 2 + 1, cv2.LINE_AA)
        cv2.rectangle(image, *corners, _colour(face), line_px, cv2.LINE_AA)
    for face in drawn:
        _write(image, face, text_px, line_px)


def _write(image: NDArray[np.uint8], face: DrawnFace, text_px: float, line_px: int) -> None:
    """Above the box, or below where there is no room, or else within; never over the picture's edge."""
    scale = text_px / _FONT_PX
    (width, height), descent = cv2.getTextSize(face.text, _FONT, scale, line_px)
    x, y, _, h = face.box
    margin = line_px * 3
    places = (y - margin - descent, y + h + margin + height, y + margin + height)
    fitting = (place for place in places if height <= place <= image.shape[0] - descent)
    left = min(max(x, line_px * 2), max(image.shape[1] - width - line_px * 2, 0))
    at = round(left), round(next(fitting, height + margin))
    cv2.putText(image, face.text, at, _FONT, scale, _DARK, line_px * 3 + 1, cv2.LINE_AA)
    cv2.putText(image, face.text, at, _FONT, scale, _colour(face), line_px, cv2.LINE_AA)


def _colour(face: DrawnFace) -> tuple[int, int, int]:
    """BGR."""
    red, green, blue = bytes.fromhex(COLOURS[face.emotion or "neutral"][1:])
    return blue, green, red
