"""Feed packets to the decoder and tell which pictures came out whole.

A span is decoded on all threads with every damage an error ("explode"). At the first sign of damage it is decoded again on
one thread, twice: once to learn which packets are damaged, once to hand out the pictures that don't depend on them. Frame
threads conceal damage differently from run to run; a result must not differ from run to run.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from worker.containers import is_shown, open_video, read_packets

_HEAD_PACKETS = 32  # enough to see whether packets and pictures correspond one to one
_MAX_HEAD_PACKETS = 1000  # when nothing could be decoded by then, nothing will be
# "Not coded" pictures of MPEG-4 part 2 and its relatives come out as nothing at all, and nothing depends on them.
_CODECS_WITH_EMPTY_PICTURES = ("mpeg4", "msmpeg4v2", "msmpeg4v3", "h263", "flv1", "wmv1", "wmv2")


class _DamageError(Exception):
    """The fast way met damage, or anything else out of the ordinary."""


class _NotAKeyframeError(Exception):
    """Decoding can't start where the container says that it can."""


@dataclass(frozen=True)
class Span:
    """A run of packets to decode.

    Attributes:
        seek_pts: presentation timestamp of the keyframe to start at; None for the start of the file.
        first_packet: number of packets of the stream before that keyframe, in decoding order.
        packets: how many packets to decode from there.
        reorder_depth: pictures that the decoder must hold back to hand them out in order of presentation.
        by_order: timestamps can't be trusted; pictures are numbered as they come out, from 0.
    """

    seek_pts: int | None
    first_packet: int
    packets: int
    reorder_depth: int
    by_order: bool


def decode_span(
    path: str | os.PathLike[str], span: Span, wanted: NDArray[np.int64], threads: int
) -> Iterator[VideoFrame | None]:
    """Yield one picture for each wanted key, in order; None for one that could not be decoded.

    Args:
        path: the video file.
        span: which packets to decode.
        wanted: int64 (n,), ascending: presentation timestamps, or with `by_order` 0-based numbers of presentation.
        threads: for decoding.

    Raises:
        VideoError: the file can't be opened.
    """
    done = 0
    from_start = replace(span, seek_pts=None, first_packet=0, packets=span.first_packet + span.packets)
    attempts = (
        lambda keys: _fast(path, span, keys, threads),
        lambda keys: _careful(path, span, keys),
        lambda keys: _careful(path, from_start, keys),
    )
    for attempt in attempts:
        try:
            for frame in attempt(wanted[done:]):
                yield frame
                done += 1
            return
        except (_DamageError, _NotAKeyframeError):
            continue


def _fast(
    path: str | os.PathLike[str], span: Span, wanted: NDArray[np.int64], threads: int
) -> Iterator[VideoFrame | None]:
    position = 0
    with _positioned(path, span) as (stream, packets):
        context = stream.codec_context
        context.thread_type, context.thread_count = "AUTO", threads
        context.options = {"err_detect": "explode"}
        _widen_reordering(stream, span)
        numbering = _Numbering(span, stream)
        for packet in chain(islice(packets, span.packets), [None]):
            numbering.enter(packet)
            try:
                frames = context.decode(packet)
            except FFmpegError as exc:
                raise _DamageError from exc
            for frame in frames:
                key = numbering.key(frame)
                if frame.is_corrupt or (key == span.seek_pts and not _is_intra(frame)) or key > wanted[position]:
                    raise _DamageError
                if key == wanted[position]:
                    yield frame
                    position += 1
                if position == len(wanted):
                    return
    raise _DamageError


def _careful(path: str | os.PathLike[str], span: Span, wanted: NDArray[np.int64]) -> Iterator[VideoFrame | None]:
    undecodable = _undecodable_packets(path, span)
    position = 0
    with _positioned(path, span) as (stream, packets):
        numbering = _Numbering(span, stream)
        for frame in _decode_single_threaded(stream, packets, span, numbering, set()):
            key = numbering.key(frame)
            while position < len(wanted) and wanted[position] < key:
                yield None
                position += 1
            if position < len(wanted) and wanted[position] == key:
                yield None if frame.is_corrupt or frame.pts in undecodable else frame
                position += 1
    yield from [None] * (len(wanted) - position)


def _decode_single_threaded(
    stream: VideoStream,
    packets: Iterable[Packet[VideoStream]],
    span: Span,
    numbering: "_Numbering",
    damaged: set[int],
) -> Iterator[VideoFrame]:
    """Yield every picture; note the keys of the packets that the decoder refuses in `damaged`."""
    context = stream.codec_context
    context.thread_type, context.thread_count = "NONE", 1
    _widen_reordering(stream, span)
    for packet in chain(islice(packets, span.packets), [None]):
        numbering.enter(packet)
        try:
            yield from context.decode(packet)
        except FFmpegError:
            if packet is not None and packet.pts is not None:
                damaged.add(packet.pts)


def _undecodable_packets(path: str | os.PathLike[str], span: Span) -> set[int]:
    """Find the packets of a span whose pictures are damaged or are predicted from damaged ones.

    Returns:
        Their keys (see `_Numbering`): a picture has the key of its packet as its pts.
    """
    damaged: set[int] = set()
    came_out: set[int] = set()
    with _positioned(path, span) as (stream, packets):
        numbering = _Numbering(span, stream, keep=True)
        for frame in _decode_single_threaded(stream, packets, span, numbering, damaged):
            if frame.pts is None:
                continue
            came_out.add(frame.pts)
            if frame.is_corrupt:
                damaged.add(frame.pts)
            elif frame.pts == span.seek_pts and not _is_intra(frame):
                raise _NotAKeyframeError
        has_empty_pictures = stream.codec_context.name in _CODECS_WITH_EMPTY_PICTURES
    if span.seek_pts is not None and span.seek_pts not in came_out | damaged:
        raise _NotAKeyframeError
    if not span.by_order and not has_empty_pictures:
        damaged |= _lost(numbering.entered, came_out)
    return _dependent(numbering.entered, damaged, span.by_order)


def _lost(entered: list[tuple[int, bool]], came_out: set[int]) -> set[int]:
    """Packets that gave no picture and no error, without those before, and leading to, the first keyframe."""
    first = next((key for key, is_keyframe in entered if is_keyframe), None)
    return set() if first is None else {key for key, _ in entered if key >= first and key not in came_out}


def _dependent(entered: list[tuple[int, bool]], damaged: set[int], by_order: bool) -> set[int]:
    """Add to the damaged packets what follows up to the next keyframe, and the pictures that lead to that keyframe."""
    undecodable: set[int] = set()
    keyframe, damaged_now, damaged_before = -1, False, False
    for key, is_keyframe in entered:
        if is_keyframe:
            keyframe, damaged_before, damaged_now = key, damaged_now, False
        damaged_now = damaged_now or key in damaged
        leads = not by_order and key < keyframe
        if damaged_now or (damaged_before and leads):
            undecodable.add(key)
    return undecodable


class _Numbering:
    """Gives packets and pictures their keys: presentation timestamps or, where those can't be trusted, ordinal numbers.

    By order: a packet's pts is replaced by its number in decoding order, which comes back on its picture. A picture's
    number of presentation is the count of those before it; a keyframe follows, in both orders, all packets before it,
    so that the count is put right there when pictures were lost.
    """

    def __init__(self, span: Span, stream: VideoStream, keep: bool = False) -> None:
        self._by_order = span.by_order
        self._stream = stream
        self._keep = keep
        self._reorders = stream.codec_context.has_b_frames
        self._packets = 0
        self._pictures = 0
        self.entered: list[tuple[int, bool]] = []  # key and keyframe flag of every packet

    def enter(self, packet: Packet[VideoStream] | None) -> None:
        """Take note of a packet before it is decoded."""
        if packet is None or not is_shown(packet, self._stream):
            return
        if self._by_order:
            packet.pts = self._packets
            self._packets += 1
        if self._keep and packet.pts is not None:
            self.entered.append((packet.pts, packet.is_keyframe))

    def key(self, frame: VideoFrame) -> int:
        """The key of a picture that the decoder hands out."""
        if not self._by_order:
            return -1 if frame.pts is None else frame.pts
        if frame.pts is not None and (frame.key_frame or not self._reorders):
            self._pictures = max(self._pictures, frame.pts)
        self._pictures += 1
        return self._pictures - 1


def _is_intra(frame: VideoFrame) -> bool:
    return frame.key_frame or frame.pict_type in (PictureType.I, PictureType.SI, PictureType.NONE)


def _widen_reordering(stream: VideoStream, span: Span) -> None:
    """Tell the decoder how far pictures are reordered; H.264 need not say, and a picture that comes too late is dropped."""
    context = stream.codec_context
    context.reorder_depth = max(context.reorder_depth, span.reorder_depth)


@contextmanager
def _positioned(
    path: str | os.PathLike[str], span: Span
) -> Iterator[tuple[VideoStream, Iterator[Packet[VideoStream]]]]:
    """Open the file; the packets start with the span's keyframe, however well or badly the container can seek."""
    if span.seek_pts is not None:
        with open_video(path) as (container, stream):
            try:
                container.seek(span.seek_pts, stream=stream)
            except FFmpegError:
                packets = None
            else:
                packets = _starting_at(read_packets(container, stream), span.seek_pts)
            if packets is not None:
                yield stream, packets
                return
    with open_video(path) as (container, stream):
        yield stream, islice(read_packets(container, stream), span.first_packet, None)


def _starting_at(packets: Iterator[Packet[VideoStream]], keyframe_pts: int) -> Iterator[Packet[VideoStream]] | None:
    """Skip to a keyframe; None where the packets start behind it."""
    for packet in packets:
        if packet.is_keyframe and packet.pts is not None and packet.pts >= keyframe_pts:
            return chain([packet], packets) if packet.pts == keyframe_pts else None
    return None


@dataclass(frozen=True)
class Head:
    """The beginning of a video, decoded.

    Attributes:
        frame: the first picture that could be decoded.
        one_to_one: whether every packet gave a picture; not so where the two fields of a picture have their own packets.
    """

    frame: VideoFrame
    one_to_one: bool


def decode_head(path: str | os.PathLike[str]) -> Head | None:
    """Decode the first pictures of a video; None where nothing can be decoded."""
    first: VideoFrame | None = None
    entered: list[int] = []
    pictures, errors = 0, 0
    with open_video(path) as (container, stream):
        context = stream.codec_context
        context.thread_type, context.thread_count = "NONE", 1
        head = islice(read_packets(container, stream), _MAX_HEAD_PACKETS)
        for number, packet in enumerate(chain(head, [None])):
            if packet is not None and is_shown(packet, stream) and packet.pts is not None:
                entered.append(packet.pts)
            enough = first is not None and number >= _HEAD_PACKETS
            try:
                frames = context.decode(None if enough else packet)
            except FFmpegError:
                errors += 1
                frames = []
            whole = [frame for frame in frames if not frame.is_corrupt]
            errors += len(frames) - len(whole)
            pictures += len(whole)
            first = first or next(iter(whole), None)
            if enough:
                break
    return None if first is None else Head(first, bool(errors) or pictures >= _decodable(entered, first))


def _decodable(entered: list[int], first: VideoFrame) -> int:
    return sum(first.pts is None or pts >= first.pts for pts in entered)


def presented_pts(path: str | os.PathLike[str]) -> NDArray[np.int64]:
    """Decode a whole video for the presentation timestamps of its pictures: int64 (n,)."""
    timestamps: list[int] = []
    with open_video(path) as (container, stream):
        stream.codec_context.thread_type = "AUTO"
        for packet in chain(read_packets(container, stream), [None]):
            try:
                timestamps += [frame.pts for frame in stream.codec_context.decode(packet) if frame.pts is not None]
            except FFmpegError:
                continue
    return np.array(timestamps, np.int64)
