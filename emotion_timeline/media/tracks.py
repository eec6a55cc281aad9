"""Which of a file's video tracks is analysed: the one that holds the moving picture."""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from emotion_timeline.media.containers import candidates
from emotion_timeline.media.packets import NO_PTS, PacketIndex, index_packets

_AS_LONG = 0.9  # part of the longest track's length from which another one may be the recording as well


@dataclass(frozen=True)
class Tracks:
    """The video streams of a file.

    Attributes:
        chosen: number in the file of the one that holds the moving picture.
        others: what the other ones are, for people.
    """

    chosen: int
    others: tuple[str, ...]


def read_tracks(container: InputContainer, path: Path, *, briefly: bool = False) -> tuple[Tracks, PacketIndex]:
    """Tell the track that holds the moving picture from thumbnails and stills by what is in them; read its packets.

    Headers don't tell: a camera's thumbnail track may come first and be marked as the default one. Of the tracks that
    are nearly as long as the longest, the default one counts, else the one with the largest pictures.

    Args:
        container: the open file, at its start.
        path: of it.
        briefly: see index_packets; a longer file's headers then tell how long its tracks are.

    Raises:
        VideoError: as candidates and index_packets.
    """
    streams = candidates(container, path)
    attached = [stream for stream in container.streams.video if stream not in streams]
    indexes = index_packets(container, streams, path.name, briefly=briefly)
    extents = {stream.index: _extent(stream, indexes[stream.index]) for stream in streams}
    chosen = _moving(streams, extents)
    others = [*(stream for stream in streams if stream.index != chosen.index), *attached]
    tracks = Tracks(chosen.index, tuple(_described(stream, extents.get(stream.index)) for stream in others))
    return tracks, indexes[chosen.index]


@dataclass(frozen=True)
class _Extent:
    """How much a stream holds; a track of one picture has no length, however long it is to be shown."""

    pictures: int
    span_s: float


def _extent(stream: VideoStream, index: PacketIndex) -> _Extent:
    times = np.where(index.pts == NO_PTS, index.dts, index.pts)[~index.second_field]
    known = times[times != NO_PTS]
    units = int(known.max() - known.min()) if len(known) else 0
    if len(times) > 1 and not index.is_whole:
        units = max(units, stream.duration or 0)
    return _Extent(len(times), float(units * Fraction(stream.time_base or 1)))


def _moving(streams: list[VideoStream], extents: dict[int, _Extent]) -> VideoStream:
    longest_s = max(extent.span_s for extent in extents.values())
    most = max(extent.pictures for extent in extents.values())

    def fits(stream: VideoStream) -> bool:
        extent = extents[stream.index]
        return extent.span_s >= _AS_LONG * longest_s and (extent.pictures > 1 or most == 1)

    fitting = [stream for stream in streams if fits(stream)] or streams
    default = [stream for stream in fitting if stream.disposition & Disposition.default]
    return default[0] if len(default) == 1 else max(fitting, key=lambda stream: math.prod(_size(stream)))


def _size(stream: VideoStream) -> tuple[int, int]:
    """Width and height as the file states them; nothing of a stream that ffmpeg has no decoder for."""
    return (stream.width, stream.height) if _has_decoder(stream) else (0, 0)


def _has_decoder(stream: VideoStream) -> bool:
    return getattr(stream, "codec_context", None) is not None


def _described(stream: VideoStream, extent: _Extent | None) -> str:
    codec = stream.codec_context.name if _has_decoder(stream) else "unknown codec"
    what = "attached picture" if extent is None else f"{extent.pictures} picture(s), {extent.span_s:.1f} s"
    width, height = _size(stream)
    return f"track {stream.index}: {codec}, {width}x{height}, {what}"
