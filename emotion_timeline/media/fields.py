"""Tell the second fields of H.264 from the first: cameras that code interlaced pictures by fields (PAFF, as in AVCHD)
put each field into a packet of its own, and a decoder makes one frame of two.

The heads of the slices say which is which (ITU-T H.264, sections 7.3.2.1, 7.3.2.2, 7.3.3 and 7.4.1.2.4), so nothing has
to be decoded for it, and packets can be counted as frames at the speed at which they are read.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

from collections.abc import Iterator
from dataclasses import dataclass

from av.packet import Packet
from av.video.stream import VideoStream

_SLICE, _IDR_SLICE, _SEQUENCE, _PICTURE = 1, 5, 7, 8  # types of NAL units
_PARAMETER_SETS = frozenset((_SEQUENCE, _PICTURE))
_SLICES = frozenset((_SLICE, _IDR_SLICE))
_HEAD_BYTES = 32  # of a slice: more than what is read of it
_WITH_CHROMA = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))  # profiles that say more
_START = b"\x00\x00\x01"


class _Bits:
    """Reads the payload of a NAL unit bit by bit; zeros follow its end."""

    def __init__(self, unit: bytes) -> None:
        payload = unit[1:].replace(b"\x00\x00\x03", b"\x00\x00") + bytes(8)  # without emulation prevention
        self._value, self._left = int.from_bytes(payload, "big"), 8 * len(payload)

    def bits(self, count: int) -> int:
        self._left = max(self._left - count, 0)
        return self._value >> self._left & (1 << count) - 1

    def number(self) -> int:
        """An Exp-Golomb code, ue(v)."""
        zeros = 0
        while not self.bits(1) and zeros < 32:
            zeros += 1
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """An Exp-Golomb code, se(v)."""
        code = self.number()
        return (code + 1) // 2 if code & 1 else -(code // 2)


@dataclass(frozen=True)
class _Sequence:
    """What a sequence parameter set says of the heads of slices.

    Attributes:
        has_fields: whether pictures may be fields.
        separate_planes: whether each plane has slices of its own.
        number_bits: length of a frame's number.
    """

    has_fields: bool
    separate_planes: bool
    number_bits: int


class FieldPairing:
    """Follows a stream's packets, in decoding order, from any keyframe on; only H.264 parts fields so."""

    def __init__(self, stream: VideoStream) -> None:
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of: dict[int, int] = {}  # of a picture parameter set
        self._length_bytes = 0  # of the sizes before NAL units; 0 where start codes part them (Annex B)
        self._last: dict[int, bytes] = {}  # parameter sets by their type: the same ones come with every keyframe
        self._open: tuple[int, int] | None = None  # frame number and parity of a first field that waits for its second
        context = getattr(stream, "codec_context", None)  # none where ffmpeg knows no decoder, whatever the type says
        self._is_h264 = context is not None and context.name == "h264"
        if self._is_h264:
            self._read_extradata(stream.codec_context.extradata or b"")

    def is_second(self, packet: Packet[VideoStream]) -> bool:
        """Whether the next packet is the second field of the frame that the one before began."""
        if not self._is_h264 or not (packet.is_keyframe or any(s.has_fields for s in self._sequences.values())):
            return False
        for unit in self._units(bytes(packet)):
            kind = unit[0] & 31
            if kind in _PARAMETER_SETS:
                self._read_parameters(unit)
            elif kind in _SLICES:
                return self._pairs(unit, kind == _IDR_SLICE)
        return False

    def _pairs(self, unit: bytes, is_idr: bool) -> bool:
        head = _Bits(unit[:_HEAD_BYTES])
        head.number(), head.number()  # first macroblock, type of slice
        sequence = self._sequences.get(self._sequence_of.get(head.number(), -1))
        before, self._open = self._open, None
        if sequence is None or not sequence.has_fields:
            return False
        head.bits(2 * sequence.separate_planes)
        number = head.bits(sequence.number_bits)
        if not head.bits(1):
            return False  # a whole frame
        parity = head.bits(1)
        if before == (number, 1 - parity) and not is_idr:
            return True
        self._open = (number, parity)
        return False

    def _read_extradata(self, extradata: bytes) -> None:
        if extradata[:1] == b"\x01" and len(extradata) > 6:  # AVCDecoderConfigurationRecord, ISO/IEC 14496-15
            self._length_bytes = (extradata[4] & 3) + 1
            at = 6
            for count in (extradata[5] & 31, None):
                if count is None:
                    count, at = (extradata[at] if at < len(extradata) else 0), at + 1
                for _ in range(count):
                    size = int.from_bytes(extradata[at : at + 2], "big")
                    self._read_parameters(extradata[at + 2 : at + 2 + size])
                    at += 2 + size
            return
        for unit in self._units(extradata):
            self._read_parameters(unit)

    def _units(self, data: bytes) -> Iterator[bytes]:
        """The NAL units, none of them empty."""
        if not self._length_bytes:
            at = data.find(_START)
            while at >= 0:
                end = data.find(_START, at + 3)
                if end != at + 3 and at + 3 < len(data):
                    yield data[at + 3 : end if end >= 0 else len(data)]
                at = end
            return
        at = 0
        while at + self._length_bytes < len(data):
            begin = at + self._length_bytes
            at = begin + int.from_bytes(data[at:begin], "big")
            if at > begin:
                yield data[begin:at]

    def _read_parameters(self, unit: bytes) -> None:
        kind = unit[0] & 31 if unit else 0
        if self._last.get(kind) == unit:
            return
        self._last[kind], bits = unit, _Bits(unit)
        if kind == _PICTURE:
            number = bits.number()
            self._sequence_of[number] = bits.number()
        elif kind == _SEQUENCE:
            number, sequence = _read_sequence(bits)
            self._sequences[number] = sequence


def _read_sequence(bits: _Bits) -> tuple[int, _Sequence]:
    profile = bits.bits(8)
    bits.bits(16)
    identity, separate = bits.number(), False
    if profile in _WITH_CHROMA:
        chroma = bits.number()
        separate = chroma == 3 and bool(bits.bits(1))
        bits.number(), bits.number(), bits.bits(1)
        if bits.bits(1):
            for matrix in range(12 if chroma == 3 else 8):
                if bits.bits(1):
                    _skip_scaling_list(bits, 16 if matrix < 6 else 64)
    number_bits = bits.number() + 4
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.bits(1), bits.number(), bits.number()
        for _ in range(min(bits.number(), 255)):
            bits.number()
    bits.number(), bits.bits(1), bits.number(), bits.number()  # reference frames, gaps, width, height
    return identity, _Sequence(not bits.bits(1), separate, min(number_bits, 16))


def _skip_scaling_list(bits: _Bits, length: int) -> None:
    last = following = 8
    for _ in range(length):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
