"""Write H.264 coded by fields (PAFF), as camcorders do and no free encoder does: each frame is an IDR top field and an
intra bottom field, in access units of their own. Pictures are stored as they are (I_PCM), so barcodes survive exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from tests.media.make import HEIGHT, WIDTH, draw_barcode

FRAME_RATE = 25
_FIELD_UNITS = 1800  # of 1/90000 s
_PCM = 25  # type of macroblock in an I slice


class _Payload:
    """A NAL unit's payload, bit by bit."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def bits(self, count: int, value: int) -> _Payload:
        self._text.append(f"{value:0{count}b}")
        return self

    def number(self, value: int) -> _Payload:
        """Exp-Golomb, ue(v)."""
        return self.bits(2 * (value + 1).bit_length() - 1, value + 1)

    def align(self) -> _Payload:
        self._text.append("0" * (-len("".join(self._text)) % 8))
        return self

    def end(self) -> bytes:
        text = "".join(self._text) + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def _unit(head: int, payload: bytes) -> bytes:
    escaped, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([head]) + bytes(escaped)


def _parameter_sets(width: int, height: int) -> bytes:
    """Main profile, level 4; frames are numbered in 8 bits, shown in decoding order, and may be fields."""
    sequence = _Payload().bits(8, 77).bits(8, 0).bits(8, 40).number(0).number(4).number(2).number(1).bits(1, 0)
    sequence.number(width // 16 - 1).number(height // 32 - 1).bits(4, 0b0010).bits(1, 0)
    picture = _Payload().number(0).number(0).bits(2, 0).number(0).number(0).number(0).bits(3, 0)
    picture.number(0).number(0).number(0).bits(3, 0b100)
    return _unit(0x67, sequence.end()) + _unit(0x68, picture.end())


def _field(luma: NDArray[np.uint8], identity: int, *, is_bottom: bool) -> bytes:
    """One field, without colour: uint8 (height, width), sides multiples of 16."""
    head = _Payload().number(0).number(7).number(0).bits(8, 0).bits(2, 2 | is_bottom)
    if not is_bottom:
        head.number(identity).bits(2, 0)
    else:
        head.bits(1, 0)
    head.number(0).number(1)
    rows, columns = luma.shape[0] // 16, luma.shape[1] // 16
    for row in range(rows):
        for column in range(columns):
            block = luma[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16].tobytes() + b"\x80" * 128
            head.number(_PCM).align().bits(8 * len(block), int.from_bytes(block, "big"))
    return _unit(0x61 if is_bottom else 0x65, head.end())


def field_packets(frames: int) -> Iterator[tuple[bytes, bytes]]:
    """Access units of the two fields of each frame, whose number is in its barcode."""
    delimiter, sets = _unit(9, b"\x10"), _parameter_sets(WIDTH, HEIGHT)
    for number in range(frames):
        luma = np.asarray(cv2.cvtColor(draw_barcode(number), cv2.COLOR_BGR2GRAY), np.uint8)
        top = _field(np.ascontiguousarray(luma[::2]), number % 2, is_bottom=False)
        yield delimiter + sets + top, delimiter + _field(np.ascontiguousarray(luma[1::2]), 0, is_bottom=True)


def write_paff(path: Path, frames: int, *, one_timestamp: bool = False, times: int = 1) -> Path:
    """A file of 25 frames a second.

    Args:
        path: the file, whose ending chooses the container.
        frames: how many.
        one_timestamp: only the first field of a frame has one.
        times: show the same frames so often, one time after the other.
    """
    units = list(field_packets(frames))
    elementary = path.with_suffix(".h264")
    elementary.write_bytes(b"".join(units[0]))
    with av.open(str(elementary)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number in range(frames * times):
            first, second = units[number % frames]
            for offset, data in ((0, first + second),) if one_timestamp else ((0, first), (1, second)):
                packet = Packet(data)
                packet.pts = packet.dts = (2 * number + offset) * _FIELD_UNITS
                packet.duration, packet.time_base = _FIELD_UNITS, Fraction(1, 90_000)
                packet.is_keyframe, packet.stream = offset == 0, stream
                target.mux(packet)
    elementary.unlink()
    return path
