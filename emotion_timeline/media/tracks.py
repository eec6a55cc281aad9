"""Which of a file's video tracks is analysed: the one that holds the moving picture."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from emotion_timeline.media.containers import candidates, open_video, read_packets

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


@dataclass
class _Extent:
    """What a stream's packets add up to; a track of one picture has no length, however long it is to be shown."""

    pictures: int = 0
    first_s: float = math.inf
    last_s: float = -math.inf

    @property
    def span_s(self) -> float:
        return max(self.last_s - self.first_s, 0.0)


def find_tracks(path: str | os.PathLike[str]) -> Tracks:
    """Tell the track that holds the moving picture from thumbnails and stills, by what is in them.

    Headers don't tell: a camera's thumbnail track may come first and be marked as the default one. Of the tracks that
    are nearly as long as the longest, the default one counts, else the one with the largest pictures.

    Raises:
        VideoError: as open_video.
    """
    path = Path(path)
    with open_video(path) as (container, first):
        streams = candidates(container, path)
        attached = [stream for stream in container.streams.video if stream not in streams]
        if len(streams) == 1:
            return Tracks(first.index, tuple(f"track {stream.index}: attached picture" for stream in attached))
        extents = _extents(container, streams)
        chosen = _moving(streams, extents)
        others = [*(stream for stream in streams if stream.index != chosen.index), *attached]
        return Tracks(chosen.index, tuple(_described(stream, extents.get(stream.index)) for stream in others))


def _moving(streams: list[VideoStream], extents: dict[int, _Extent]) -> VideoStream:
    longest_s = max(extent.span_s for extent in extents.values())
    most = max(extent.pictures for extent in extents.values())

    def fits(stream: VideoStream) -> bool:
        extent = extents[stream.index]
        return extent.span_s >= _AS_LONG * longest_s and (extent.pictures > 1 or most == 1)

    fitting = [stream for stream in streams if fits(stream)] or streams
    default = [stream for stream in fitting if stream.disposition & Disposition.default]
    return default[0] if len(default) == 1 else max(fitting, key=lambda stream: stream.width * stream.height)


def _extents(container: InputContainer, streams: list[VideoStream]) -> dict[int, _Extent]:
    extents = {stream.index: _Extent() for stream in streams}
    for packet in read_packets(container, *streams):
        extent = extents[packet.stream.index]
        extent.pictures += 1
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            time_s = float(time * packet.time_base)
            extent.first_s, extent.last_s = min(extent.first_s, time_s), max(extent.last_s, time_s)
    return extents


def _described(stream: VideoStream, extent: _Extent | None) -> str:
    codec = stream.codec_context.name if getattr(stream, "codec_context", None) else "unknown codec"
    what = "attached picture" if extent is None else f"{extent.pictures} picture(s), {extent.span_s:.1f} s"
    return f"track {stream.index}: {codec}, {stream.width}x{stream.height}, {what}"
