"""Clips from tests/media/make.py carry their frame numbers as barcodes: each test can tell which frame it was given."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from emotion_timeline.media.frames import Frame, read_frames
from emotion_timeline.media.plan import VideoPlan, plan
from tests.media.make import CLIPS

CLIP_BY_NAME = {clip.name: clip for clip in CLIPS}
# Containers without presentation times: their frames are recognised by their order.
UNTRUSTED = (
    "h264_b_frames.avi", "mpeg4_b_frames.avi", "dropped_b_frames.avi", "dropped_b_frames_mpeg4.avi", "elementary.h264",
)  # fmt: skip
SIDE = 120  # detection side, small for speed


def read_all(path: Path, video_plan: VideoPlan) -> list[Frame]:
    return [frame for segment in video_plan.segments for frame in read_frames(path, segment, SIDE)]


def decode_straight(path: Path) -> list[VideoFrame]:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        return list(container.decode(video=0))


def packets_of(path: Path) -> list[tuple[int, int, int, bool]]:
    """Position in the file, size, pts and keyframe flag of every packet, in decoding order."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [(packet.pos or 0, packet.size, packet.pts or 0, packet.is_keyframe) for packet in packets]


def assert_same_frames(frames: Sequence[Frame], others: Sequence[Frame]) -> None:
    assert [(frame.index, frame.timestamp_s) for frame in frames] == [(o.index, o.timestamp_s) for o in others]
    for frame, other in zip(frames, others, strict=True):
        assert_same_pixels(frame.luma, other.luma)
        assert_same_pixels(frame.small_bgr, other.small_bgr)


def assert_same_pixels(image: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None) -> None:
    assert (image is None) == (other is None)
    assert image is None or other is None or np.array_equal(image, other)


def shown_at(frames: list[VideoFrame]) -> list[float]:
    """Presentation times, exactly."""
    return [float(frame.pts * frame.time_base) for frame in frames if frame.pts is not None and frame.time_base]


def times(path: Path) -> list[float]:
    """Timestamps of all frames by the timeline's rules."""
    planned = plan(path)
    return [float((pts - planned.origin_pts) * planned.time_base) for s in planned.segments for pts in s.pts.tolist()]
