"""The frames of a planned segment, decoded: a segment read later, by anyone, in any order, gives the same pixels.

A frame that is damaged, or predicted from damaged ones, has no picture: see media/damage.py.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from emotion_timeline.media.canvas import Placement
from emotion_timeline.media.containers import UNREADABLE
from emotion_timeline.media.decoding import Span, decode_span
from emotion_timeline.media.pictures import PictureConverter
from emotion_timeline.media.plan import SegmentPlan

_MAX_DECODE_THREADS = 4  # frame threads each hold pictures in memory, and detection wants the processors too


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        index: 0-based, in order of presentation over the whole video.
        timestamp_s: seconds from the video's first frame.
        luma: uint8 (H, W), full-range grey 0-255 as displayed, in the picture's own pixels; None where the frame could
            not be decoded.
        small_bgr: uint8 (h, w, 3), to search for faces, as displayed; None likewise.
        scale: displayed pixels per pixel of small_bgr, in x and y; at least 1.
        placement: where the picture stands in the recording's coordinate system; None likewise.
    """

    index: int
    timestamp_s: float
    luma: NDArray[np.uint8] | None
    small_bgr: NDArray[np.uint8] | None
    scale: float
    placement: Placement | None


def read_frames(
    path: str | os.PathLike[str], segment: SegmentPlan, detection_side: int = 640, threads: int | None = None
) -> Iterator[Frame]:
    """Decode a segment for analysis.

    Args:
        path: the video file that the segment was planned for.
        segment: from `plan`.
        detection_side: longest side of `Frame.small_bgr`, in pixels; longer for very large pictures, see
            pictures.MAX_SHRINK.
        threads: for decoding; None takes the processors that there are, up to 4.

    Yields:
        Exactly one Frame for each of segment.frames, in order; luma is None for those that can't be decoded.

    Raises:
        VideoError: the file can't be opened any more.
    """
    canvas = segment.canvas
    converter = PictureConverter(detection_side, canvas.pixel_aspect, canvas.rotate)
    for index, timestamp_s, picture in read_pictures(path, segment, threads):
        if picture is None:
            yield Frame(index, timestamp_s, None, None, 1.0, None)
            continue
        try:
            luma, small_bgr, scale = converter.convert(picture)
        except UNREADABLE:  # the pixel format changed in mid-stream to one that swscale doesn't know
            yield Frame(index, timestamp_s, None, None, 1.0, None)
            continue
        height, width = luma.shape
        yield Frame(index, timestamp_s, luma, small_bgr, scale, canvas.place((width, height)))


def read_pictures(
    path: str | os.PathLike[str], segment: SegmentPlan, threads: int | None = None
) -> Iterator[tuple[int, float, VideoFrame | None]]:
    """Decode a segment; arguments and errors are those of `read_frames`.

    Yields:
        For each of segment.frames, in order: its index, its timestamp in seconds from the video's first frame, and its
        picture as it is stored, neither turned nor scaled; None for one that can't be decoded.
    """
    seconds = Fraction(segment.time_base_numerator, segment.time_base_denominator)
    span = Span(
        seek_pts=None if segment.first_packet == 0 else segment.start_pts,
        first_packet=segment.first_packet,
        packets=segment.packets,
        reorder_depth=segment.reorder_depth,
        by_order=segment.by_order,
        track=segment.track,
    )
    wanted = segment.frames if segment.by_order else segment.pts
    pictures = decode_span(path, span, wanted, threads or min(os.cpu_count() or 1, _MAX_DECODE_THREADS))
    for index, pts, picture in zip(segment.frames.tolist(), segment.pts.tolist(), pictures, strict=True):
        yield index, float((pts - segment.origin_pts) * seconds), picture
