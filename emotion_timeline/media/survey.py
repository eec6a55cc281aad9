"""Find out what a video file is: from its packets and first pictures, never from the header's counts, which lie."""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

import os
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from emotion_timeline.errors import VideoError
from emotion_timeline.media.canvas import Canvas
from emotion_timeline.media.containers import UNREADABLE, check_size, choose_stream, open_video, read_packets
from emotion_timeline.media.packets import NO_PTS, PacketIndex, monotone_times, timestamps_are_trusted
from emotion_timeline.media.pictures import can_convert, displayed_size, orientation
from emotion_timeline.media.tracks import Tracks, read_tracks

_HEAD_PACKETS = 32  # enough to see whether pictures are reordered
_MAX_PIXEL_ASPECT = 4  # anamorphic film has 2; beyond, a header is wrong
_MAX_HEAD_PACKETS = 1000  # when nothing could be decoded by then, nothing will be
_TAKE_ALL_PACKETS = ("frame_count", "average_rate", "variable_rate", "keyframes", "trusted_timestamps", "other_tracks")
_CONTAINER_UNITS = 1_000_000  # units a second of a container's own duration


@dataclass(frozen=True)
class VideoInfo:
    """What a video file is, read from its packets and its first picture; never from the counts in its header.

    Attributes:
        container: ffmpeg's name of the container format.
        codec: ffmpeg's name of the decoder.
        width: of the first frame as displayed, with square pixels and after rotation, in pixels. Frames of another size
            are brought to this one: see media/canvas.py.
        height: likewise.
        pixel_aspect: width of a stored pixel divided by its height, as in "16/11"; "1/1" where that isn't known.
        rotation: 0, 90, 180 or 270 degrees clockwise, by which stored pictures are turned to show them upright: what
            the file says and what was asked for together.
        duration_s: from the start of the first presented frame to the end of the last.
        average_rate: presented frames per second; None for a single frame.
        real_rate: lowest rate with which all timestamps can be stated exactly, frames/s; None where unknown.
        variable_rate: whether frames last differently long, beyond the rounding of timestamps.
        start_offset_s: the first presented frame's timestamp in the container.
        frame_count: presented frames.
        time_base: unit of timestamps in seconds, as in "1/15360".
        pixel_format: ffmpeg's name.
        keyframes: number of packets marked as keyframes.
        trusted_timestamps: False where timestamps are missing or step back and are made up from the packets' pace.
        track: number of the video track in the file that is analysed, from 0 over all of its tracks.
        other_tracks: what the other video tracks are, such as thumbnails.
        rotate: degrees clockwise that were asked for.
    """

    container: str
    codec: str
    width: int
    height: int
    pixel_aspect: str
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
    track: int
    other_tracks: list[str]
    rotate: int = 0

    @property
    def canvas(self) -> Canvas:
        """The recording's coordinate system."""
        return Canvas(self.width, self.height, Fraction(self.pixel_aspect), self.rotate)

    def turned(self, rotate: int) -> VideoInfo:
        """The same, shown turned by so many degrees clockwise."""
        width, height = (self.height, self.width) if rotate % 180 else (self.width, self.height)
        return replace(self, width=width, height=height, rotation=(self.rotation + rotate) % 360, rotate=rotate)


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of a video before it is cut into segments.

    Attributes:
        info: the description.
        index: its packets.
        pts: int64 (n,), timestamps of the presented frames in order of presentation, in time base units.
        time_base: seconds per unit.
        reorder_depth: pictures that a decoder must hold back to hand them out in order.
    """

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


def survey_video(path: str | os.PathLike[str], *, briefly: bool = False) -> Survey:
    """Read all packets of a video, once, and decode its first pictures.

    Args:
        path: the video file.
        briefly: read the first packets of a long file only, for what can be known from them.

    Raises:
        VideoError: not a video that can be processed; the message says why.
    """
    path = Path(path)
    name = path.name
    # Opened as seldom as can be: of an MP4 in fragments, the heads of all are read each time.
    with open_video(path) as (container, _):
        tracks, index = read_tracks(container, path, briefly=briefly)
        if not index.presented.any():
            if not index.is_whole:
                return survey_video(path)
            raise VideoError(
                "no_frames", f"{name} announces a video, but holds no frame of it. Upload or copy it again."
            )
        stream = choose_stream(container, path, tracks.chosen)
        if index.is_whole:
            _check_moving(container, stream, index, name)
        head = _decode_head(path, tracks.chosen)
        if head is None or not can_convert(head.frame):
            _check_not_encrypted(path, tracks.chosen)
            raise VideoError(
                "undecodable",
                f"No frame of {name} can be decoded: it is damaged or in a rare format. Upload or copy it again; if "
                "another program plays it, convert it to H.264 MP4.",
            )
        check_size(head.frame.width, head.frame.height, name)
        if container.format.name in ("gif", "apng") and len(index.pts) == 1:
            raise VideoError("image", f"{name} is a still image, not a video. Choose a video file.")
        if head.steps_back and not index.reorder_depth():
            # Packets are in order of their times, but pictures aren't: they are times of decoding, as recorders of
            # surveillance cameras write, which know no other.
            index = replace(index, dts=index.pts, pts=np.full_like(index.pts, NO_PTS))
        trusted = timestamps_are_trusted(index, container, head.reorder_depth)
        if trusted:
            index = _without_unpresentable(index, head)
            pts = np.sort(index.pts[index.presented])
        else:
            pts = monotone_times(index, _nominal_step(stream), head.reorder_depth)
        info = _describe(container, stream, index, head, pts, trusted, tracks)
        if not index.is_whole:
            info = replace(info, duration_s=max(_stated_s(container, stream), info.duration_s))
        depth = index.reorder_depth() if trusted else 0
        return Survey(info, index, pts, Fraction(stream.time_base or 1), depth)


def glance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Describe a video in a time that doesn't grow with its length.

    Returns:
        A VideoInfo as a dictionary. Of a file that is too long to be read whole, `frame_count` and the others that take
        all of its packets are None, and `duration_s` is what its header says, or at least what has been read.

    Raises:
        VideoError: as survey_video, as far as the beginning tells.
    """
    survey = survey_video(path, briefly=True)
    info = asdict(survey.info)
    return info if survey.index.is_whole else info | dict.fromkeys(_TAKE_ALL_PACKETS)


def _stated_s(container: InputContainer, stream: VideoStream) -> float:
    """How long the header says that it is, in seconds; 0 where it doesn't."""
    if stream.duration:
        return float(stream.duration * Fraction(stream.time_base or 1))
    return (container.duration or 0) / _CONTAINER_UNITS


def _check_not_encrypted(path: str | os.PathLike[str], track: int) -> None:
    """Refuse a file whose packets say that they are encrypted, by its true reason."""
    with open_video(path, track) as (container, stream):
        if any(packet.has_sidedata("encryption_info") for packet in islice(read_packets(container, stream), 1)):
            raise VideoError(
                "encrypted",
                f"{Path(path).name} is encrypted, as videos from shops and streaming services are, and can't be read "
                "without its key. Choose a recording that is not protected.",
            )


def _check_moving(container: InputContainer, stream: VideoStream, index: PacketIndex, name: str) -> None:
    """Refuse one picture beside a longer track of sound: a song with its cover, or a video that lost its pictures."""
    if len(index.pts) > 1 or stream.duration is None:
        return
    shown_s = float(stream.duration * Fraction(stream.time_base or 1))
    sound_s = max(
        (float(s.duration * s.time_base) for s in container.streams.audio if s.duration and s.time_base), default=0.0
    )
    if sound_s > shown_s + 1:
        raise VideoError(
            "no_moving_picture",
            f"{name} holds {sound_s:.0f} s of sound, but only one picture. Choose the file with the moving picture.",
        )


def _without_unpresentable(index: PacketIndex, head: _Head) -> PacketIndex:
    """Leave out pictures that no player shows: those that lead to a file's first keyframe and are predicted from others
    before its start."""
    if head.frame.pts is None or not index.keyframe[0]:
        return index
    return replace(index, presented=index.presented & (index.pts >= min(head.frame.pts, index.pts[0])))


def _describe(
    container: InputContainer,
    stream: VideoStream,
    index: PacketIndex,
    head: _Head,
    pts: NDArray[np.int64],
    trusted: bool,
    tracks: Tracks,
) -> VideoInfo:
    base = Fraction(stream.time_base or 1)
    steps = np.diff(pts)
    usual = float(np.median(steps)) if len(steps) else 0.0
    pixel_aspect = _pixel_aspect(stream)
    width, height = displayed_size(head.frame, pixel_aspect)
    span_s = float(int(pts[-1] - pts[0]) * base)
    return VideoInfo(
        container=container.format.name,
        codec=stream.codec_context.name,
        width=width,
        height=height,
        pixel_aspect=f"{pixel_aspect.numerator}/{pixel_aspect.denominator}",
        rotation=orientation(head.frame).rotation,
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
        track=tracks.chosen,
        other_tracks=list(tracks.others),
    )


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio
    known = aspect is not None and 1 / _MAX_PIXEL_ASPECT <= aspect <= _MAX_PIXEL_ASPECT
    return Fraction(aspect) if known and aspect else Fraction(1)


def _nominal_step(stream: VideoStream) -> int:
    rate = stream.average_rate or stream.base_rate or 25
    return round(1 / (rate * Fraction(stream.time_base or 1)))


@dataclass(frozen=True)
class _Head:
    """The beginning of a video, decoded.

    Attributes:
        frame: the first picture that could be decoded.
        reorder_depth: pictures that the decoder holds back to put them in order, as far as it knows by then.
        steps_back: whether a picture comes out with an earlier time than one before.
    """

    frame: VideoFrame
    reorder_depth: int
    steps_back: bool


def _decode_head(path: str | os.PathLike[str], track: int) -> _Head | None:
    """Decode the first pictures of a video; None where nothing can be decoded."""
    first: VideoFrame | None = None
    times: list[int] = []
    with open_video(path, track) as (container, stream):
        context = stream.codec_context
        context.thread_type, context.thread_count = "NONE", 1
        head = islice(read_packets(container, stream), _MAX_HEAD_PACKETS)
        for number, packet in enumerate(chain(head, [None])):
            enough = first is not None and number >= _HEAD_PACKETS
            try:
                frames = context.decode(None if enough else packet)
            except UNREADABLE:
                frames = []
            first = first or next((frame for frame in frames if not frame.is_corrupt), None)
            times += [frame.pts for frame in frames if frame.pts is not None]
            if enough:
                break
        steps_back = any(later < earlier for earlier, later in pairwise(times))
        return None if first is None else _Head(first, context.reorder_depth, steps_back)
