"""What a stream's packets tell without being decoded: which of them are pictures, and when those are shown."""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from emotion_timeline.errors import VideoError
from emotion_timeline.media.containers import read_packets
from emotion_timeline.media.fields import FieldPairing

NO_PTS = np.iinfo(np.int64).min
MAX_PACKETS = 50_000_000  # 9 days at 60 frames/s; 17 bytes of memory each
# How much is read for a first look, whatever comes first: pictures, packets of any stream, bytes.
_BRIEF = (2000, 20_000, 64 << 20)
# Elementary streams and AVI hold no presentation times: ffmpeg makes them up from the packets' order.
_FORMATS_WITHOUT_PTS = ("avi", "h264", "hevc", "m4v", "mpegvideo", "vc1", "obu", "h263", "h261", "mjpeg")
_MAX_REPEATS = 8  # pictures in a row whose times are wrong, while the clock goes on
_MAX_REACH = 32  # pictures; no encoder makes longer groups of them that predict each other
_MAX_REORDER = 16  # frames; the decoded picture buffer of H.264 and HEVC holds no more


def is_shown(packet: Packet[VideoStream], stream: VideoStream) -> bool:
    """Whether a packet's picture is presented.

    An edit list cuts pictures away. VP8 keeps alternate reference pictures, which are never shown, in packets of their
    own (RFC 6386, section 9.1).
    """
    if packet.is_discard:
        return False
    codec = stream.codec_context.name if getattr(stream, "codec_context", None) else ""
    return codec not in ("vp8", "libvpx") or bool(memoryview(packet)[0] & 0x10)


@dataclass(frozen=True, eq=False)
class PacketIndex:
    """The packets of a video stream in decoding order.

    Attributes:
        pts: int64 (n,), presentation timestamps in time base units; NO_PTS where the container gives none.
        dts: int64 (n,), decoding timestamps, likewise.
        keyframe: bool (n,), marked as a keyframe by the container, and no second field.
        presented: bool (n,), False for pictures that are decoded and not shown, and for second fields.
        second_field: bool (n,), packets that are shown as one frame with the packet before.
        last_duration: of the picture with the latest pts, in time base units; 0 where unknown.
        is_whole: False where only the first packets of a longer file were read.
    """

    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    keyframe: NDArray[np.bool_]
    presented: NDArray[np.bool_]
    second_field: NDArray[np.bool_]
    last_duration: int
    is_whole: bool

    def reorder_depth(self) -> int:
        """How many pictures are decoded before, and shown after, another one: at most, over the whole stream."""
        rank = _ranks(self.pts[~self.second_field])
        # A picture shown at rank r and decoded i-th waits for i - r others that were decoded after it in time.
        return int(np.max(np.arange(len(rank)) - rank, initial=0))

    def reach(self) -> int:
        """How many pictures are decoded after, and shown before, another one: at most, over the whole stream."""
        rank = _ranks(self.pts[~self.second_field])
        return int(np.max(rank - np.arange(len(rank)), initial=0))


def _ranks(pts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each picture in order of presentation: int64 (n,)."""
    ranks = np.empty(len(pts), np.int64)
    ranks[np.argsort(pts, kind="stable")] = np.arange(len(pts))
    return ranks


def _steps_back(dts: NDArray[np.int64]) -> bool:
    return bool((dts != NO_PTS).all() and (np.diff(dts) < 0).any())


class _Lines:
    """The packets of one stream while they are read."""

    def __init__(self, stream: VideoStream) -> None:
        self._pts, self._dts, self._flags = array("q"), array("q"), bytearray()
        self._stream, self._fields = stream, FieldPairing(stream)
        self._last_pts, self._last_duration = NO_PTS, 0

    def add(self, packet: Packet[VideoStream]) -> None:
        second = self._fields.is_second(packet)
        pts = NO_PTS if packet.pts is None else packet.pts
        if second:
            pts = max(pts, self._pts[-1])  # where both are under one timestamp
        self._pts.append(pts)
        self._dts.append(NO_PTS if packet.dts is None else packet.dts)
        shown = not second and is_shown(packet, self._stream)
        self._flags.append((packet.is_keyframe and not second) | shown << 1 | second << 2)
        if second:
            self._last_duration = max(self._last_duration, pts - self._last_pts + (packet.duration or 0))
        elif pts >= self._last_pts:
            self._last_pts, self._last_duration = pts, packet.duration or 0

    def index(self, is_whole: bool) -> PacketIndex:
        bits = np.frombuffer(self._flags, np.uint8)
        pts, dts = np.frombuffer(self._pts, np.int64), np.frombuffer(self._dts, np.int64)
        return PacketIndex(pts, dts, bits & 1 > 0, bits & 2 > 0, bits & 4 > 0, self._last_duration, is_whole)


def index_packets(
    container: InputContainer, streams: Sequence[VideoStream], name: str, *, briefly: bool = False
) -> dict[int, PacketIndex]:
    """Read all packets of some streams, in one pass, and keep their timestamps and flags.

    Args:
        container: an open file, at its start.
        streams: of it.
        name: of the file, for sentences.
        briefly: read no more than the first pictures, in a time that doesn't grow with the file's length.

    Returns:
        By the streams' numbers in the file.

    Raises:
        VideoError: more than MAX_PACKETS.
    """
    lines = {stream.index: _Lines(stream) for stream in streams}
    packets = size = pictures = 0
    is_whole = True
    # Other streams are read as well where it has to be brief, for there may be gigabytes of them before a picture.
    for packet in read_packets(container) if briefly else read_packets(container, *streams):
        packets, size = packets + 1, size + packet.size
        if packet.stream.index in lines:
            lines[packet.stream.index].add(packet)
            pictures += 1
        if briefly and any(n >= most for n, most in zip((pictures, packets, size), _BRIEF, strict=True)):
            is_whole = False
            break
        if pictures > MAX_PACKETS:
            raise VideoError("too_many_packets", f"{name} has more than {MAX_PACKETS} frames. Split it into parts.")
    return {number: read.index(is_whole) for number, read in lines.items()}


def timestamps_are_trusted(index: PacketIndex, container: InputContainer, delay: int) -> bool:
    """Whether every picture has its own true presentation time, by which a decoded frame can be recognised.

    Args:
        index: the packets.
        container: that they are in.
        delay: pictures that the decoder holds back to put them in order.
    """
    pts = index.pts
    shown = pts[index.presented]
    if (pts == NO_PTS).any() or len(np.unique(shown)) != len(shown):
        return False
    if (np.diff(pts[index.keyframe]) <= 0).any() or index.reorder_depth() > _MAX_REORDER:
        return False  # time steps back
    if index.reach() > _MAX_REACH or _steps_back(index.dts):
        return False  # a stray time, far from those around it
    if container.format.name in _FORMATS_WITHOUT_PTS:  # what was made up is right only where nothing is reordered
        return not delay and bool((np.diff(pts) > 0).all())
    return True


def monotone_times(index: PacketIndex, nominal_step: int, delay: int) -> NDArray[np.int64]:
    """Make one strictly increasing timeline for a stream whose timestamps are missing or step back.

    The decoding times are followed where they go forward. Where one is missing, repeats or steps back, and later ones
    are right again, the pictures in between are spread over the gap; so are a few whose times stray far ahead of all
    that follow. Where the clock has begun anew, it goes on by the usual step. A picture is shown when a decoder hands
    it out, which is at the decoding time of a later packet where pictures are reordered.

    Args:
        index: the packets.
        nominal_step: duration of a frame in time base units, used where the stream itself gives no pace.
        delay: pictures that the decoder holds back to put them in order.

    Returns:
        int64 (n,): time of the n presented pictures in order of presentation.
    """
    stated = np.where(index.dts == NO_PTS, index.pts, index.dts)[index.presented]
    known = stated != NO_PTS
    steps = np.diff(stated)
    valid = known[1:] & known[:-1] & (steps > 0)
    step = max(int(np.median(steps[valid])), 1) if valid.any() else max(nominal_step, 1)
    stated = _without_strays(stated, step)
    known = stated != NO_PTS
    valid = known[1:] & known[:-1] & (np.diff(stated) > 0)
    shift = min(delay, len(steps)) if (index.dts != NO_PTS).all() else 0
    times = _repaired(stated, np.flatnonzero(~valid) + 1, step)[shift:]
    return np.concatenate((times, times[-1] + step * np.arange(1, shift + 1)))


def _without_strays(stated: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Strike out, as NO_PTS, a few times that run far ahead, after which the clock goes on as before: int64 (n,)."""
    times, places = stated.copy(), np.flatnonzero(stated != NO_PTS)
    known = stated[places]
    for back in (np.flatnonzero(np.diff(known) < 0) + 1).tolist():
        start = max(back - 1 - _MAX_REPEATS, 0)
        before = np.flatnonzero(known[start:back] < known[back])
        if not len(before):
            continue  # the clock has begun anew
        stray = start + int(before[-1]) + 1
        is_ahead = known[stray:back].min() > known[back : back + _MAX_REPEATS].max()
        if is_ahead and known[stray] - known[stray - 1] > _MAX_REPEATS * step:
            times[places[stray:back]] = NO_PTS
    return times


def _repaired(stated: NDArray[np.int64], breaks: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Times that go on at every break: int64 (n,). See monotone_times."""
    times = stated.copy()
    times[0] = 0 if times[0] == NO_PTS else times[0]
    done = offset = 0  # up to where it is right, and what is to be added to all that follows
    for at in breaks.tolist():
        if at <= done:
            continue
        times[done + 1 : at] += offset
        before, done = int(times[at - 1]), at
        if stated[at] != NO_PTS and stated[at] + offset > before:
            times[at] += offset
            continue
        ahead = stated[at + 1 : at + 1 + _MAX_REPEATS]
        right = np.flatnonzero((ahead != NO_PTS) & (ahead + offset > before + np.arange(1, len(ahead) + 1)))
        if len(right):
            done = at + 1 + int(right[0])
            times[done] += offset
            gap = int(times[done]) - before
            times[at:done] = before + gap * np.arange(1, done - at + 1) // (done - at + 1)
        else:
            times[at] = before + step
            offset = before + step - int(stated[at]) if stated[at] != NO_PTS else offset
    times[done + 1 :] += offset
    return times
