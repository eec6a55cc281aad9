"""Decoded pictures as arrays: upright, full range, whatever their format and size."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from emotion_timeline.media.frames import read_frames
from emotion_timeline.media.pictures import PictureConverter
from emotion_timeline.media.plan import inspect, plan
from tests.clips import CLIP_BY_NAME, SIDE, decode_straight, read_all
from tests.media.make import draw_barcode, make_clip


@pytest.mark.parametrize("name", ["rotated_90.mp4", "rotated_180.mp4", "rotated_270.mp4", "b_frames.mp4"])
def test_frames_are_turned_as_opencv_turns_them(name: str, clip_path: Callable[[str], Path]) -> None:
    path = clip_path(name)
    frame = read_all(path, plan(path))[5]
    capture = cv2.VideoCapture(str(path))
    for _ in range(6):
        shown = capture.read()[1]
    capture.release()
    assert frame.luma is not None
    assert frame.luma.shape == shown.shape[:2]
    assert np.abs(frame.luma.astype(int) - cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY)).mean() < 2


def test_mirrored_video_is_mirrored_as_its_matrix_says(clip_path: Callable[[str], Path]) -> None:
    path = clip_path("mirrored_90.mp4")  # turned by a quarter counterclockwise, then mirrored left to right
    for frame, stored in zip(read_all(path, plan(path)), decode_straight(path), strict=True):
        luma = PictureConverter(SIDE)._luma(stored)
        assert frame.luma is not None and np.array_equal(frame.luma, np.fliplr(np.rot90(luma)))


@pytest.mark.parametrize(("name", "shape"), [("wide_pixels.mp4", (96, 233)), ("tall_pixels_90.mkv", (160, 128))])
def test_pixels_that_are_not_square_are_made_square(
    name: str, shape: tuple[int, int], clip_path: Callable[[str], Path]
) -> None:
    path = clip_path(name)
    frame = next(read_frames(path, plan(path).segments[0], SIDE))
    assert frame.luma is not None and frame.small_bgr is not None
    assert frame.luma.shape == shape and frame.luma.flags.c_contiguous
    assert frame.scale == max(shape) / SIDE
    assert frame.small_bgr.shape == (*(round(side / frame.scale) for side in shape), 3)
    upright = np.rot90(frame.luma, -1) if name == "tall_pixels_90.mkv" else frame.luma
    stored = PictureConverter(SIDE)._luma(decode_straight(path)[0])
    expected = cv2.resize(stored, upright.shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(upright, expected)


@pytest.mark.parametrize("aspect", [Fraction(0), Fraction(1000), Fraction(1, 1000)])
def test_pixel_aspect_that_cannot_be_is_left_aside(aspect: Fraction, tmp_path: Path) -> None:
    clip = replace(CLIP_BY_NAME["one_frame.mp4"], pixel_aspect=aspect)
    make_clip(clip, tmp_path / "clip.mp4")
    info = inspect(tmp_path / "clip.mp4")
    assert (info.width, info.height, info.pixel_aspect) == (160, 96, "1/1")


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "nv12", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p12le", "p010le"]
)
@pytest.mark.parametrize("full_range", [False, True])
def test_luma_is_expanded_to_full_range_like_swscale(pixel_format: str, full_range: bool) -> None:
    grey = np.tile(np.arange(256, dtype=np.uint8), (48, 1))[:, :240]  # rows are padded
    colour_range = 2 if full_range else 1
    frame = VideoFrame.from_ndarray(np.dstack([grey] * 3), format="bgr24")
    frame = frame.reformat(format=pixel_format, dst_color_range=colour_range)
    frame.color_range = colour_range
    luma, small_bgr, scale = PictureConverter(640).convert(frame)
    assert luma.shape == grey.shape and luma.flags.c_contiguous
    assert np.abs(luma.astype(int) - frame.reformat(format="gray").to_ndarray()).max() <= 1
    assert np.abs(luma.astype(int) - grey).max() <= 2
    assert np.abs(small_bgr.astype(int) - grey[..., None]).max() <= 6
    assert scale == 1


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgra", "gray", "gray10le", "pal8", "gbrp"])
def test_pictures_without_luma_become_grey(pixel_format: str) -> None:
    image = np.full((33, 50, 3), 117, np.uint8)
    source = "rgb8" if pixel_format == "pal8" else pixel_format
    frame = VideoFrame.from_ndarray(image, format="bgr24").reformat(format=source)
    luma, small_bgr, _ = PictureConverter(640).convert(frame)
    assert luma.shape == (33, 50) and small_bgr.shape == (33, 50, 3)
    assert abs(luma.mean() - 117) <= 4  # 8 bits for three colours are dithered


def test_full_range_video_keeps_its_blacks_and_whites(clip_path: Callable[[str], Path]) -> None:
    frames = {}
    for name in ("full_range.mp4", "b_frames.mp4"):
        frames[name] = read_all(clip_path(name), plan(clip_path(name)))[3].luma
    full, limited = frames["full_range.mp4"], frames["b_frames.mp4"]
    assert full is not None and limited is not None
    assert np.median(np.abs(full.astype(int) - limited)) <= 2
    assert np.median(np.abs(limited.astype(int) - cv2.cvtColor(draw_barcode(3), cv2.COLOR_BGR2GRAY))) <= 2


@pytest.mark.parametrize(("side", "size", "scale"), [(80, (80, 48), 2.0), (640, (160, 96), 1.0), (100, (100, 60), 1.6)])
def test_small_picture_has_the_asked_side(
    side: int, size: tuple[int, int], scale: float, clip_path: Callable[[str], Path]
) -> None:
    path = clip_path("b_frames.mp4")
    frame = next(read_frames(path, plan(path).segments[0], side))
    assert frame.small_bgr is not None and frame.luma is not None
    assert frame.small_bgr.shape == (size[1], size[0], 3) and frame.small_bgr.flags.c_contiguous
    assert frame.scale == scale
