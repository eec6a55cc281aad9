"""What is drawn over a picture: the colours of the pages, and texts that stay within it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.media.overlay import COLOURS, DrawnFace, draw_faces, drawable
from tests.services import REPOSITORY


def test_colours_are_those_of_the_pages() -> None:
    dark = (REPOSITORY / "web" / "static" / "http" / "style.css").read_text().split("prefers-color-scheme: dark")[1]
    assert {emotion: re.search(rf"--{emotion}: (#\w+);", dark)[1] for emotion in EMOTIONS} == COLOURS  # type: ignore[index]


def test_labels_are_drawn_in_letters_that_there_are() -> None:
    assert drawable("Participant 1") == "Participant 1"
    assert drawable("Zoë Łuk") is None, "Ł is no letter with an accent"
    assert drawable("Zoë") == drawable("Zoe\u0308") == "Zoe"
    assert drawable("参加者") is None
    assert drawable("  ") is None


@pytest.mark.parametrize("box", [(0, 0, 20, 20), (280, 150, 60, 40), (-5, 60, 30, 200), (0, 0, 320, 180)])
@pytest.mark.parametrize("shape", [(180, 320, 3), (2160, 3840, 3), (40, 30, 3)])
def test_text_is_drawn_within_the_picture(box: tuple[float, float, float, float], shape: tuple[int, int, int]) -> None:
    image = np.full(shape, 128, np.uint8)
    bare = image.copy()
    face = DrawnFace(box, "P1", "happy", 0.874)
    assert face.text == "P1 happy 87 %"
    draw_faces(bare, [replace(face, label="", emotion=None, probability=None)])
    draw_faces(image, [face])
    assert (image != bare).any()
