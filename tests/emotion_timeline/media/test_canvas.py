"""Pictures that change their size in mid-stream stand in one coordinate system."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from emotion_timeline.media.canvas import Canvas
from emotion_timeline.media.frames import read_frames
from emotion_timeline.media.pictures import ColourConverter
from emotion_timeline.media.plan import plan
from tests.clips import read_all
from tests.media.make import draw_barcode, encode_stretches, read_barcode

# Sizes that browsers, Teams and phones change to, and where each stands in 640x360: left, top, width, height.
PLACES = [
    ((640, 360), (0, 0, 640, 360)),
    ((320, 180), (0, 0, 640, 360)),
    ((1920, 1080), (0, 0, 640, 360)),
    ((426, 240), (0, 0, 640, 360)),  # of 16:9, but for rounding to even sides
    ((1366, 768), (0, 0, 640, 360)),
    ((360, 640), (219, 0, 202, 360)),
    ((640, 480), (80, 0, 480, 360)),
    ((1280, 640), (0, 20, 640, 320)),
    ((16, 9000), (319, 0, 1, 360)),
]


@pytest.mark.parametrize(("size", "place"), PLACES)
def test_pictures_fill_the_canvas_or_are_centred_in_it(size: tuple[int, int], place: tuple[int, int, int, int]) -> None:
    placed = Canvas(640, 360).place(size)
    assert (placed.left, placed.top, placed.width, placed.height) == place


def test_boxes_are_brought_to_the_canvas() -> None:
    boxes = np.array([[30, 60, 90, 120], [0, 0, 360, 640]], np.float32)
    for size, expected in (
        ((640, 360), boxes),
        ((1280, 720), boxes / 2),
        ((360, 640), np.array([[235.83, 33.75, 50.5, 67.5], [219, 0, 202, 360]])),
    ):
        assert np.allclose(Canvas(640, 360).place(size).of_boxes(boxes), expected, atol=0.01)


def test_movies_keep_the_pixels_of_the_largest_picture() -> None:
    canvas = Canvas(320, 180)
    assert canvas.enlarged([]) == canvas.enlarged([(320, 180), (160, 90)]) == (320, 180)
    assert canvas.enlarged([(320, 180), (1280, 720)]) == (1280, 720)
    assert canvas.enlarged([(320, 180), (180, 320)]) == (320, 180), "one that was turned is not larger"


@pytest.mark.parametrize("name", ["call.webm", "call.ts"])
def test_frames_keep_their_own_pixels_and_say_where_they_stand(name: str, tmp_path: Path) -> None:
    sizes = [(160, 96), (80, 48), (240, 144), (96, 160)]
    codec = "libvpx" if name == "call.webm" else "libx264"
    make_call(codec, sizes, tmp_path / name)
    planned = plan(tmp_path / name, segment_s=0.3)
    assert (planned.info.width, planned.info.height) == (160, 96)
    frames = read_all(tmp_path / name, planned)
    assert len(frames) == 40
    for frame in frames:
        size = sizes[frame.index // 10]
        assert frame.luma is not None and frame.placement is not None
        assert frame.luma.shape == size[::-1] and read_barcode(frame.luma) == frame.index
        assert frame.placement.picture == size
        assert (frame.placement.left, frame.placement.width) == ((51, 58) if size == (96, 160) else (0, 160))


def make_call(codec: str, sizes: list[tuple[int, int]], path: Path) -> None:
    """Ten pictures of each size, with the frame's number as a barcode."""
    stretches = [[draw_barcode(10 * i + j, *size) for j in range(10)] for i, size in enumerate(sizes)]
    encode_stretches(codec, stretches, path)


def test_pictures_for_people_have_bars_where_the_shape_differs() -> None:
    grey = np.full((64, 36, 3), 150, np.uint8)
    frame = VideoFrame.from_ndarray(grey, format="bgr24")
    for size, inside in ((None, (22, 20)), ((128, 72), (44, 40))):
        image = ColourConverter(Canvas(64, 36), size).convert(frame)
        assert image.shape == (*(size or (64, 36))[::-1], 3)
        bright = np.flatnonzero(image[5, :, 0])
        assert (bright[0], len(bright)) == inside
        assert image[:, bright[0] : bright[-1] + 1].min() == image.max() == 150


def test_a_turned_picture_is_placed_as_it_is_displayed(clip_path: Callable[[str], Path]) -> None:
    path = clip_path("rotated_90.mp4")
    planned = plan(path)
    canvas = planned.info.canvas
    assert canvas == Canvas(96, 160, Fraction(1))
    frame = next(read_frames(path, planned.segments[0]))
    assert frame.placement is not None and frame.luma is not None
    assert (frame.placement.left, frame.placement.width) == (0, 96)
