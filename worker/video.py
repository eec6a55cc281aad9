"""Plan the segments of a video and read their frames.

Time is a frame's own presentation timestamp. A plan is made from the packets alone and says for every segment which frames
it holds, where to start and how many packets to decode; so a segment read later, by anyone, in any order, gives the same
frames with the same pixels as one straight decode of the whole file.

Segments are cut at keyframes in order of presentation. The leading pictures of an open GOP, which are decoded after the
keyframe, shown before it and predicted from the GOP before, belong to the earlier segment, which reads on past the cut.

Damage: from the first damaged packet to the next keyframe, in decoding order, frames have no picture (luma is None). They
would show older pixels, moved about by differences that were meant for others.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from worker.containers import (
    PacketIndex,
    check_size,
    index_packets,
    monotone_times,
    open_video,
    timestamps_are_trusted,
)
from worker.decoding import Head, Span, decode_head, decode_span, presented_pts
from worker.errors import VideoError
from worker.pictures import PictureConverter, can_convert, orientation

_MAX_DECODE_THREADS = 4  # frame threads each hold pictures in memory, and detection wants the processors too


@dataclass(frozen=True)
class VideoInfo:
    """What a video file is, read from its packets and its first picture; never from the counts in its header.

    Attributes:
        container: ffmpeg's name of the container format.
        codec: ffmpeg's name of the decoder.
        width: of a frame as displayed, after rotation, in pixels.
        height: likewise.
        rotation: 0, 90, 180 or 270 degrees clockwise, by which stored pictures are turned to show them upright.
        duration_s: from the start of the first presented frame to the end of the last.
        average_rate: presented frames per second; None for a single frame.
        real_rate: lowest rate with which all timestamps can be stated exactly, frames/s; None where unknown.
        variable_rate: whether frames last differently long, beyond the rounding of timestamps.
        start_offset_s: the first presented frame's timestamp in the container.
        frame_count: presented frames.
        time_base: unit of timestamps in seconds, as in "1/15360".
        pixel_format: ffmpeg's name.
        keyframes: number of packets marked as keyframes.
        trusted_timestamps: False where timestamps are missing or step back and had to be made up from the packets' pace.
    """

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    duration_s: float
    average_rate: float | None
    real_rate: float | None
    variable_rate: bool
    start_offset_s: float
    frame_count: int
    time_base: str
    pixel_format: str
    keyframes: int
    trusted_timestamps: bool


@dataclass(frozen=True, eq=False)
class SegmentPlan:
    """One segment of a video: everything needed to read it, beside the file. Plain integers and two arrays.

    Attributes:
        index: 0-based number of the segment.
        start_pts: presentation timestamp of its first frame's keyframe, where decoding starts, in time base units.
        end_pts: start of the next segment; None for the last.
        frames: int64 (n,), 0-based indexes of the sampled frames in order of presentation over the whole video.
        pts: int64 (n,), their presentation timestamps.
        whole: decode from the start of the file without seeking.
        by_order: recognise frames by their order, because the container's timestamps can't be trusted.
        origin_pts: presentation timestamp of the video's first frame.
        time_base_numerator: seconds per unit of the timestamps, with time_base_denominator.
        time_base_denominator: see time_base_numerator.
        first_packet: number of packets of the video stream before this segment's, in decoding order.
        packets: how many packets to decode.
        reorder_depth: pictures that the decoder must hold back to hand them out in order.
    """

    index: int
    start_pts: int
    end_pts: int | None
    frames: NDArray[np.int64]
    pts: NDArray[np.int64]
    whole: bool
    by_order: bool
    origin_pts: int
    time_base_numerator: int
    time_base_denominator: int
    first_packet: int
    packets: int
    reorder_depth: int


@dataclass(frozen=True)
class VideoPlan:
    """A video's description and its segments, in order of presentation; every sampled frame is in exactly one."""

    info: VideoInfo
    segments: tuple[SegmentPlan, ...]
    origin_pts: int
    time_base: Fraction


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        index: 0-based, in order of presentation over the whole video.
        timestamp_s: seconds from the video's first frame.
        luma: uint8 (H, W), full-range grey 0-255 as displayed; None where the frame could not be decoded.
        small_bgr: uint8 (h, w, 3), longest side at most the detection side, as displayed; None likewise.
        scale: displayed pixels per pixel of small_bgr, in x and y; at least 1.
    """

    index: int
    timestamp_s: float
    luma: NDArray[np.uint8] | None
    small_bgr: NDArray[np.uint8] | None
    scale: float


def inspect(path: str | os.PathLike[str]) -> VideoInfo:
    """Describe a video: reads all its packets, decodes only the first pictures.

    Raises:
        VideoError: not a video that can be processed; the message says why.
    """
    return _survey(path).info


def plan(path: str | os.PathLike[str], segment_s: float = 20.0, sample_hz: float | None = None) -> VideoPlan:
    """Cut a video into segments at keyframes.

    Args:
        path: the video file.
        segment_s: least length of a segment, in seconds; a segment ends at the first keyframe from there.
        sample_hz: samples per second: of all frames, those are taken that are the first at or after k/sample_hz seconds
            for some k = 0, 1, 2, ...; None takes every frame.

    Raises:
        VideoError: not a video that can be processed, or sample_hz is not a positive number.
    """
    if sample_hz is not None and not (math.isfinite(sample_hz) and sample_hz > 0):
        raise VideoError("bad_sample_rate", f"sample_hz must be a number of samples a second above 0, not {sample_hz}.")
    survey = _survey(path)
    base = survey.time_base
    sampled = _sample((survey.pts - survey.pts[0]) * float(base), sample_hz)
    cuts = _cuts(survey, segment_s)
    segments: list[SegmentPlan] = []
    for (start_packet, start_pts), following in zip(cuts, [*cuts[1:], None], strict=True):
        end_pts = None if following is None else following[1]
        begin, end = np.searchsorted(survey.pts[sampled], [start_pts, survey.pts[-1] + 1 if end_pts is None else end_pts])
        if begin == end:
            continue  # sampled more sparsely than segments are long
        frames = sampled[begin:end]
        segments.append(
            SegmentPlan(
                index=len(segments),
                start_pts=start_pts,
                end_pts=end_pts,
                frames=frames,
                pts=survey.pts[frames],
                whole=len(cuts) == 1,
                by_order=not survey.info.trusted_timestamps,
                origin_pts=int(survey.pts[0]),
                time_base_numerator=base.numerator,
                time_base_denominator=base.denominator,
                first_packet=start_packet,
                packets=survey.packets_before(end_pts) - start_packet,
                reorder_depth=survey.reorder_depth,
            )
        )
    return VideoPlan(survey.info, tuple(segments), int(survey.pts[0]), base)


def read_frames(
    path: str | os.PathLike[str], segment: SegmentPlan, detection_side: int = 640, threads: int | None = None
) -> Iterator[Frame]:
    """Decode a segment.

    Args:
        path: the video file that the segment was planned for.
        segment: from `plan`.
        detection_side: longest side of `Frame.small_bgr`, in pixels.
        threads: for decoding; None takes the processors that there are, up to 4.

    Yields:
        Exactly one Frame for each of segment.frames, in order; luma is None for those that can't be decoded.

    Raises:
        VideoError: the file can't be opened any more.
    """
    seconds = Fraction(segment.time_base_numerator, segment.time_base_denominator)
    span = Span(
        seek_pts=None if segment.first_packet == 0 else segment.start_pts,
        first_packet=segment.first_packet,
        packets=segment.packets,
        reorder_depth=segment.reorder_depth,
        by_order=segment.by_order,
    )
    wanted = segment.frames if segment.by_order else segment.pts
    converter = PictureConverter(detection_side)
    pictures = decode_span(path, span, wanted, threads or min(os.cpu_count() or 1, _MAX_DECODE_THREADS))
    for index, pts, picture in zip(segment.frames.tolist(), segment.pts.tolist(), pictures, strict=True):
        timestamp_s = float((pts - segment.origin_pts) * seconds)
        if picture is None:
            yield Frame(index, timestamp_s, None, None, 1.0)
            continue
        try:
            yield Frame(index, timestamp_s, *converter.convert(picture))
        except FFmpegError:  # the pixel format changed in mid-stream to one that swscale doesn't know
            yield Frame(index, timestamp_s, None, None, 1.0)


@dataclass(frozen=True, eq=False)
class _Survey:
    """What is known of a video before it is cut: pts (n,) are the presented frames' times in order of presentation."""

    info: VideoInfo
    index: PacketIndex
    pts: NDArray[np.int64]
    time_base: Fraction
    reorder_depth: int

    def packets_before(self, end_pts: int | None) -> int:
        """Number of packets, in decoding order, up to the last that is shown before end_pts."""
        if end_pts is None:
            return len(self.index.pts)
        earliest_from_here = np.minimum.accumulate(self.index.pts[::-1])[::-1]
        return int(np.searchsorted(earliest_from_here, end_pts))


def _survey(path: str | os.PathLike[str]) -> _Survey:
    name = Path(path).name
    with open_video(path) as (container, stream):
        index = index_packets(container, stream, name)
        head = decode_head(path)
        if head is None or not can_convert(head.frame):
            raise VideoError("undecodable", f"No frame of {name} could be decoded. It is damaged or in a rare format; convert it to H.264.")
        check_size(head.frame.width, head.frame.height, name)
        trusted = timestamps_are_trusted(index, container, stream)
        if trusted:
            index = _without_unpresentable(path, index, head)
            pts = np.sort(index.pts[index.presented])
        else:
            pts = monotone_times(index, _nominal_step(stream))
        info = _describe(container, stream, index, head, pts, trusted)
        depth = index.reorder_depth() if trusted else 0
        return _Survey(info, index, pts, Fraction(stream.time_base or 1), depth)


def _without_unpresentable(path: str | os.PathLike[str], index: PacketIndex, head: Head) -> PacketIndex:
    """Leave out pictures that no player shows.

    Those are the pictures ahead of the first keyframe that need pictures from before the file's start, and second fields,
    which have packets of their own and are shown as one frame with the first.
    """
    presented = index.presented
    if head.frame.pts is not None and index.keyframe.any():
        first_keyframe_pts = index.pts[index.keyframe][0]
        presented = presented & (index.pts >= min(head.frame.pts, first_keyframe_pts))
    if not head.one_to_one:
        presented = presented & np.isin(index.pts, presented_pts(path))
    return replace(index, presented=presented)


def _describe(
    container: InputContainer,
    stream: VideoStream,
    index: PacketIndex,
    head: Head,
    pts: NDArray[np.int64],
    trusted: bool,
) -> VideoInfo:
    base = Fraction(stream.time_base or 1)
    steps = np.diff(pts)
    usual = float(np.median(steps)) if len(steps) else 0.0
    rotation = orientation(head.frame).rotation
    width, height = head.frame.width, head.frame.height
    span_s = float(int(pts[-1] - pts[0]) * base)
    return VideoInfo(
        container=container.format.name,
        codec=stream.codec_context.name,
        width=height if rotation % 180 else width,
        height=width if rotation % 180 else height,
        rotation=rotation,
        duration_s=span_s + (index.last_duration or usual) * float(base),
        average_rate=len(steps) / span_s if span_s else None,
        real_rate=float(stream.base_rate) if stream.base_rate else None,
        variable_rate=bool(len(steps) and np.max(np.abs(steps - usual)) > max(2, 0.1 * usual)),
        start_offset_s=float(int(pts[0]) * base),
        frame_count=len(pts),
        time_base=f"{base.numerator}/{base.denominator}",
        pixel_format=head.frame.format.name,
        keyframes=int(np.count_nonzero(index.keyframe)),
        trusted_timestamps=trusted,
    )


def _nominal_step(stream: VideoStream) -> int:
    rate = stream.average_rate or stream.base_rate or 25
    return round(1 / (rate * Fraction(stream.time_base or 1)))


def _sample(times_s: NDArray[np.float64], sample_hz: float | None) -> NDArray[np.int64]:
    """Indexes of the sampled frames: those that are the first at or after some k/sample_hz."""
    if sample_hz is None:
        return np.arange(len(times_s))
    # A frame within a millionth of a period before k/sample_hz counts as at it: 0.2 s is not exact in binary.
    period = np.floor(times_s * min(sample_hz, 1e6) + 1e-6)
    return np.flatnonzero(np.diff(period, prepend=-1.0) > 0)


def _cuts(survey: _Survey, segment_s: float) -> list[tuple[int, int]]:
    """Where segments start: (number of packets before, presentation timestamp), the first at the file's start."""
    cuts = [(0, int(survey.pts[0]))]
    if not survey.info.trusted_timestamps:
        return cuts
    pts = survey.index.pts
    latest_before = np.maximum.accumulate(np.concatenate(([np.iinfo(np.int64).min], pts[:-1])))
    # Only a keyframe that everything decoded before it is also shown before can begin a segment.
    usable = np.flatnonzero(survey.index.keyframe & (latest_before < pts))
    length = segment_s / survey.time_base
    for packet in usable.tolist():
        if pts[packet] >= cuts[-1][1] + length and pts[packet] <= survey.pts[-1]:
            cuts.append((packet, int(pts[packet])))
    return cuts
