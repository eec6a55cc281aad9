"""Turn a decoded picture into the two arrays that the stages read: full-range grey and a small colour picture.

The grey picture is the decoder's own luma plane where it has eight bits, which skips the conversion of the whole frame
to colour and back (1,081 against 443 frames/s at 720p on 2 cores). Limited range is expanded by a 256-entry table that
agrees exactly with swscale's conversion to grey and, unlike floating point, with itself on every processor.
"""

import struct
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from av.error import FFmpegError
from av.sidedata.sidedata import SideData, SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from emotion_timeline.media.canvas import Canvas, Size
from emotion_timeline.media.tone import ToneMapper, is_hdr

# Formats whose first plane is 8-bit luma, one byte a pixel.
_LUMA_FORMATS = frozenset(
    ["gray", "nv12", "nv21", "nv16", "nv24"]
    + [f"{kind}{sampling}p" for kind in ("yuv", "yuvj") for sampling in (410, 411, 420, 422, 440, 444)]
    + [f"yuva{sampling}p" for sampling in (420, 422, 444)]
)
# ITU-R BT.601 and BT.709: black is 16 and white 235 in limited range.
_FULL_RANGE = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
MAX_SHRINK = 2
"""How many times smaller than a picture the one may be that is searched for faces: 20 pixels are left of a face of 40.

Of 68 portraits with faces of 40 pixels YuNet finds all when they are made 2 times smaller, the least sure with a score
of 0.81; 99 % at 2.5 times, 88 % at 3 times, a third at 6 times. Cost: `python -m benchmarks.resolution`.
"""
_UNSPECIFIED, _BT2020 = 2, 9  # AVCOL_SPC_UNSPECIFIED, AVCOL_SPC_BT2020_NCL
_QUARTER_TURNS = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Orientation:
    """How to show a stored picture: mirror it left to right first, then turn it.

    Attributes:
        mirrored: whether the stored picture is mirrored.
        rotation: 0, 90, 180 or 270 degrees clockwise.
    """

    mirrored: bool = False
    rotation: int = 0

    def turned(self, rotate: int) -> "Orientation":
        """The same, turned by so many degrees clockwise besides."""
        return Orientation(self.mirrored, (self.rotation + rotate) % 360)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture as displayed: uint8 (H, W) or (H, W, 3), C-contiguous."""
        if self.mirrored:
            image = cv2.flip(image, 1)  # type: ignore[assignment]
        if self.rotation:
            image = cv2.rotate(image, _QUARTER_TURNS[self.rotation // 90])  # type: ignore[assignment]
        return image


_UPRIGHT = Orientation()


def orientation(frame: VideoFrame) -> Orientation:
    """Read the display matrix (3x3 fixed point, for row vectors: libavutil/display.h), to the nearest quarter turn."""
    try:
        # Not frame.side_data: frame and container would hold each other, and the pictures stay in memory, megabytes
        # each, until Python's garbage collector comes by.
        matrix = SideDataContainer(frame).get(  # type: ignore[call-arg]  # PyAV's stubs lack it
            SideDataType.DISPLAYMATRIX.name
        )
    except ValueError:  # PyAV 18 fails on kinds of side data newer than itself (spatial video has one)
        return Orientation(False, round(-frame.rotation / 90) % 4 * 90)
    if matrix is None:
        return _UPRIGHT
    assert isinstance(matrix, SideData)
    a, b, _, c, d = struct.unpack("5i", bytes(matrix)[:20])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b  # undo the mirroring of x, which comes first
    return Orientation(mirrored, round(np.degrees(np.arctan2(b, a)) / 90) % 4 * 90)


def displayed_size(frame: VideoFrame, pixel_aspect: Fraction, rotate: int = 0) -> Size:
    """Width and height of a picture as displayed, in square pixels, turned by so many degrees besides."""
    width, height = unsqueezed_size(frame.width, frame.height, pixel_aspect)
    return (height, width) if orientation(frame).turned(rotate).rotation % 180 else (width, height)


def unsqueezed_size(width: int, height: int, pixel_aspect: Fraction) -> Size:
    """Width and height at which a stored picture has square pixels.

    One side grows and the other one stays, as in browsers (https://html.spec.whatwg.org/multipage/media.html).

    Args:
        width, height: as stored, in pixels.
        pixel_aspect: width of a pixel divided by its height.
    """
    if pixel_aspect >= 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


class PictureConverter:
    """Converts decoded pictures, whose size and format may change in mid-stream. Holds the scalers; for one thread."""

    def __init__(self, detection_side: int, pixel_aspect: Fraction = Fraction(1), rotate: int = 0) -> None:
        """Makes a converter for one video.

        Args:
            detection_side: longest side of the small picture, in pixels; more where faces would be lost: MAX_SHRINK.
            pixel_aspect: width of a stored pixel divided by its height.
            rotate: degrees clockwise by which pictures are turned besides what the file says.
        """
        self._detection_side = detection_side
        self._pixel_aspect, self._rotate = pixel_aspect, rotate
        self._scaler = VideoReformatter()
        self._grey_converter = VideoReformatter()

    def convert(self, frame: VideoFrame) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
        """Convert one picture.

        Returns:
            luma: uint8 (H, W), full range 0-255, as displayed.
            small_bgr: uint8 (h, w, 3), in colour, as displayed.
            scale: displayed pixels per small pixel.

        Raises:
            FFmpegError: swscale can't convert this pixel format.
        """
        turn = orientation(frame).turned(self._rotate)
        width, height = unsqueezed_size(frame.width, frame.height, self._pixel_aspect)
        scale = min(max(max(width, height) / self._detection_side, 1.0), MAX_SHRINK)
        small = self._scaler.reformat(
            frame,
            max(round(width / scale), 1),
            max(round(height / scale), 1),
            "bgr24",
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        luma = self._luma(frame)
        if luma.shape != (height, width):
            luma = np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        return turn.apply(luma), turn.apply(np.ascontiguousarray(_plane(small, 3))), scale

    def _luma(self, frame: VideoFrame) -> NDArray[np.uint8]:
        name = frame.format.name
        if name not in _LUMA_FORMATS:
            frame = self._grey_converter.reformat(frame, format="gray", dst_color_range=ColorRange.JPEG, threads=1)
            return np.ascontiguousarray(_plane(frame, 1))
        if name == "gray" or name.startswith("yuvj") or frame.color_range == ColorRange.JPEG:
            return np.ascontiguousarray(_plane(frame, 1))
        return cv2.LUT(_plane(frame, 1), _FULL_RANGE)  # type: ignore[return-value]


class ColourConverter:
    """Makes colour pictures for people, all of one size, of pictures of any. Holds the scaler; for one thread."""

    def __init__(self, canvas: Canvas, size: Size | None = None) -> None:
        """Makes a converter for one video.

        Args:
            canvas: the video's.
            size: width and height at which to show it; None for its own.
        """
        self._canvas = canvas
        self._width, self._height = size or (canvas.width, canvas.height)
        self._scaler = VideoReformatter()
        self._tone_mapper = ToneMapper()

    def convert(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return uint8 (height, width, 3), BGR, as displayed, black where a picture of another shape leaves room.

        Raises:
            FFmpegError: swscale can't convert this pixel format.
        """
        left, top, width, height = self._place(frame)
        shown = self._scaled(frame, width, height)
        if (width, height) == (self._width, self._height):
            return shown
        image = np.zeros((self._height, self._width, 3), np.uint8)
        image[top : top + height, left : left + width] = shown
        return image

    def _place(self, frame: VideoFrame) -> tuple[int, int, int, int]:
        """Left, top, width and height of the rectangle that a picture fills, in whole pixels."""
        place = self._canvas.place(displayed_size(frame, self._canvas.pixel_aspect, self._canvas.rotate))
        x, y = self._width / self._canvas.width, self._height / self._canvas.height
        left, top = round(place.left * x), round(place.top * y)
        right, bottom = round((place.left + place.width) * x), round((place.top + place.height) * y)
        return left, top, max(right - left, 1), max(bottom - top, 1)

    def _scaled(self, frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        turn, hdr = orientation(frame).turned(self._canvas.rotate), is_hdr(frame)
        sideways = turn.rotation % 180 != 0
        bgr = self._scaler.reformat(
            frame,
            height if sideways else width,
            width if sideways else height,
            "rgb48le" if hdr else "bgr24",
            src_colorspace=_assumed_colorspace(frame),
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        if hdr:
            bgr = self._tone_mapper.map(bgr, frame.color_trc, frame.color_primaries)
        return turn.apply(np.ascontiguousarray(_plane(bgr, 3)))


def _assumed_colorspace(frame: VideoFrame) -> int | None:
    """How the colours of a picture that doesn't say so are coded: by its range, and by its size, as players guess."""
    if frame.colorspace != _UNSPECIFIED or frame.format.is_rgb:
        return None
    if is_hdr(frame):
        return _BT2020
    return Colorspace.ITU709 if min(frame.width, frame.height) >= 720 else None


def can_convert(frame: VideoFrame) -> bool:
    """Whether the picture is in a pixel format that can be converted."""
    try:
        PictureConverter(64).convert(frame)
    except (FFmpegError, ValueError, OverflowError):
        return False
    return True


def _plane(frame: VideoFrame, channels: int) -> NDArray[np.uint8]:
    """View the first plane without copying: uint8 (H, W) or (H, W, channels); rows may be padded."""
    plane = frame.planes[0]
    stored = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)
    rows: NDArray[np.uint8] = stored[:, : frame.width * channels]
    return rows if channels == 1 else rows.reshape(frame.height, frame.width, channels)
