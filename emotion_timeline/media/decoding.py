"""Feed packets to the decoder and tell which pictures came out whole.

A span is decoded on all threads with every damage an error ("explode"). At the first sign of damage it is decoded again
on one thread, twice: once to learn which packets are damaged, once to hand out the pictures that don't depend on them.
Frame threads conceal damage differently from run to run; a result must not differ from run to run.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count, islice

import numpy as np
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from emotion_timeline.media.containers import UNREADABLE, open_video, read_packets
from emotion_timeline.media.damage import Damage, PacketLog, assess_damage
from emotion_timeline.media.fields import FieldPairing
from emotion_timeline.media.packets import is_shown

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
        track: number of the video track in the file.
    """

    seek_pts: int | None
    first_packet: int
    packets: int
    reorder_depth: int
    by_order: bool
    track: int


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
    attempts = [partial(_decode_carefully, path, span), partial(_decode_carefully, path, from_start)]
    if not span.by_order:  # there, only the careful way can tell a lost picture from the next one
        attempts.insert(0, partial(_decode_fast, path, span, threads))
    for attempt in attempts:
        try:
            for frame in attempt(wanted[done:]):
                yield frame
                done += 1
            return
        except (_DamageError, _NotAKeyframeError):
            continue


def _decode_fast(
    path: str | os.PathLike[str], span: Span, threads: int, wanted: NDArray[np.int64]
) -> Iterator[VideoFrame | None]:
    """Decode what is undamaged.

    The pictures that lead to the first keyframe belong to the span before and miss their references here, so they are
    left out. Some H.264 misses them in turn, harmlessly, and is then decoded the careful way.
    """
    position = 0
    with _positioned(path, span) as (stream, packets):
        context = stream.codec_context
        context.thread_type, context.thread_count = "AUTO", threads
        context.options = {"err_detect": "explode"}
        _widen_reordering(stream, span)
        for packet in chain(islice(packets, span.packets), [None]):
            if packet is not None and _leads(packet, span):
                continue
            try:
                frames = context.decode(packet)
            except UNREADABLE as exc:
                raise _DamageError from exc
            for frame in frames:
                if frame.is_corrupt or frame.pts is None or frame.pts > wanted[position]:
                    raise _DamageError
                if frame.pts == span.seek_pts and not _is_intra(frame):
                    raise _NotAKeyframeError
                if frame.pts == wanted[position]:
                    yield frame
                    position += 1
                if position == len(wanted):
                    return
    raise _DamageError


def _decode_carefully(
    path: str | os.PathLike[str], span: Span, wanted: NDArray[np.int64]
) -> Iterator[VideoFrame | None]:
    damage = _find_damage(path, span)
    position, number = 0, -1
    seen: set[int] = set()  # a decoder that conceals damage may hand out a picture twice
    with _positioned(path, span) as (stream, packets):
        for frame in _decode_single_threaded(stream, packets, span):
            if frame.pts is None or frame.pts in seen:
                continue
            before = len(seen) + bisect_left(damage.lost, frame.pts)
            seen.add(frame.pts)
            number = max(number + 1, before) if span.by_order else frame.pts
            while position < len(wanted) and wanted[position] < number:
                yield None
                position += 1
            if position < len(wanted) and wanted[position] == number:
                yield None if frame.is_corrupt or frame.pts in damage.undecodable else frame
                position += 1
    yield from [None] * (len(wanted) - position)


def _decode_single_threaded(
    stream: VideoStream,
    packets: Iterable[Packet[VideoStream]],
    span: Span,
    log: PacketLog | None = None,
) -> Iterator[VideoFrame]:
    """Yield every picture. By order, a packet's pts is replaced by its number, which comes back on its picture."""
    context = stream.codec_context
    context.thread_type, context.thread_count = "NONE", 1
    _widen_reordering(stream, span)
    numbers, fields = count(), FieldPairing(stream)
    for packet in chain(islice(packets, span.packets), [None]):
        shown = packet is not None and not fields.is_second(packet) and is_shown(packet, stream)
        shown = shown and packet is not None and not _leads(packet, span)
        if packet is not None and shown and span.by_order:
            packet.pts = next(numbers)
        if log is not None and packet is not None and shown and packet.pts is not None:
            log.packets.append((packet.pts, packet.is_keyframe))
        try:
            yield from context.decode(packet)
        except UNREADABLE:
            if log is not None and packet is not None and shown and packet.pts is not None:
                log.damaged.add(packet.pts)


def _find_damage(path: str | os.PathLike[str], span: Span) -> Damage:
    log = PacketLog()
    ranks: dict[int, int] = {}
    with _positioned(path, span) as (stream, packets):
        for frame in _decode_single_threaded(stream, packets, span, log):
            if frame.pts is None:
                continue
            ranks.setdefault(frame.pts, len(ranks))
            if frame.is_corrupt:
                log.damaged.add(frame.pts)
            elif frame.pts == span.seek_pts and not _is_intra(frame):
                raise _NotAKeyframeError
        has_empty_pictures = stream.codec_context.name in _CODECS_WITH_EMPTY_PICTURES
        depth = stream.codec_context.reorder_depth
    if span.seek_pts is not None and span.seek_pts not in ranks and span.seek_pts not in log.damaged:
        raise _NotAKeyframeError
    return assess_damage(log, ranks, depth, span.by_order, has_empty_pictures)


def can_start(path: str | os.PathLike[str], span: Span) -> bool:
    """Whether decoding can start at a span's keyframe, or can't for damage only; False where its keyframe flag lies."""
    with _positioned(path, span) as (stream, packets):
        context = stream.codec_context
        context.thread_type, context.thread_count = "NONE", 1
        for number, packet in enumerate(chain(islice(packets, span.packets), [None])):
            try:
                frames = context.decode(packet)
            except UNREADABLE:
                if number == 0:
                    return True
                continue
            for frame in frames:
                if frame.pts is not None and span.seek_pts is not None and frame.pts >= span.seek_pts:
                    return frame.pts == span.seek_pts and _is_intra(frame)
    return False


def _is_intra(frame: VideoFrame) -> bool:
    return frame.key_frame or frame.pict_type in (PictureType.I, PictureType.SI, PictureType.NONE)


def _widen_reordering(stream: VideoStream, span: Span) -> None:
    """Tell the decoder how far pictures are reordered: H.264 need not say, and drops a picture that comes too late."""
    context = stream.codec_context
    context.reorder_depth = max(context.reorder_depth, span.reorder_depth)


def _leads(packet: Packet[VideoStream], span: Span) -> bool:
    """Whether a picture is shown before the span's first keyframe."""
    return span.seek_pts is not None and packet.pts is not None and packet.pts < span.seek_pts


@contextmanager
def _positioned(
    path: str | os.PathLike[str], span: Span
) -> Iterator[tuple[VideoStream, Iterator[Packet[VideoStream]]]]:
    """Open the file; the packets start with the span's keyframe, however well or badly the container can seek."""
    if span.seek_pts is not None:
        with open_video(path, span.track) as (container, stream):
            try:
                container.seek(span.seek_pts, stream=stream)
            except UNREADABLE:
                packets = None
            else:
                packets = _starting_at(read_packets(container, stream), span.seek_pts)
            if packets is not None:
                yield stream, packets
                return
    with open_video(path, span.track) as (container, stream):
        yield stream, islice(read_packets(container, stream), span.first_packet, None)


def _starting_at(packets: Iterator[Packet[VideoStream]], keyframe_pts: int) -> Iterator[Packet[VideoStream]] | None:
    """Skip to a keyframe; None where the packets start behind it."""
    for packet in packets:
        if packet.is_keyframe and packet.pts is not None and packet.pts >= keyframe_pts:
            return chain([packet], packets) if packet.pts == keyframe_pts else None
    return None
