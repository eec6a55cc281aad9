"""Where a recording cuts from one shot to the next, told from how much the picture changes between sampled frames.

A cut changes the picture at once, and by far more than the frames round it change: the rule of PySceneDetect's adaptive
detector (https://scenedetect.com), whose package can't stand beside OpenCV without windows. So a camera that pans, and
sparse samples of a scene that moves, are not taken for cuts; nor is a flash or a broken picture, after which the old
picture is back. Dissolves are not found, and a light that is switched on counts as a cut. Where the picture's shape
changes, as when a phone is turned in a call, nothing can be told, and the shot goes on.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

# Mean difference of the grey levels of two pictures. Hard cuts make 20 and more, a fast pan at 25 frames/s up to 8.
MIN_CHANGE = 10.0
# How many times the usual change a cut is. A pan, or samples of a moving scene, make up to 2.3.
MIN_RATIO = 3.0
# Below, a picture repeats the one before, as recorders do when nothing new has come: it doesn't tell what is usual.
_SAME = 0.5
_REACH = 3  # pictures that are looked at on either side
_MAX_HELD = 64  # frames, when many in a row can't be decoded
_SIZE = (16, 9)
_ROWS = 90  # of pixels that are looked at
_BYTES = 1 + 3 * _SIZE[0] * _SIZE[1]

Signature = NDArray[np.uint8]
"""uint8 (433,): the picture's shape, and its levels when it is made tiny."""


class Pictured(Protocol):
    """A frame of a segment; its signature is None where it could not be decoded."""

    @property
    def signature(self) -> Signature | None: ...


Frame = TypeVar("Frame", bound=Pictured)


@dataclass(frozen=True, slots=True)
class Edges:
    """The first and the last pictures of a segment, which tell whether the next segment goes on with its shot.

    Attributes:
        opening, closing: signatures of the first three pictures and of the last three unlike ones of the last shot, one
            after another; without those that repeat the one before, and empty where no frame could be decoded.
    """

    opening: bytes = b""
    closing: bytes = b""


class ShotFinder:
    """Finds the cuts of one segment while its frames pass by."""

    def __init__(self) -> None:
        self._first: list[Signature] = []
        self._before: deque[Signature] = deque(maxlen=_REACH)

    @property
    def edges(self) -> Edges:
        """Those of the frames that have passed."""
        return Edges(_packed(_distinct(self._first)), _packed(self._before))

    def follow(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
        """Yield every frame in order, and whether it begins a shot; the frames come two pictures late.

        The first frame with a picture always begins one: only continues() knows of the segment before.
        """
        held: deque[Frame] = deque()
        for frame in frames:
            held.append(frame)
            while sum(other.signature is not None for other in held) >= _REACH or len(held) > _MAX_HELD:
                yield self._decided(held)
        while held:
            yield self._decided(held)

    def _decided(self, held: "deque[Frame]") -> tuple[Frame, bool]:
        after = _distinct([other.signature for other in held if other.signature is not None][:_REACH])
        frame = held.popleft()
        if frame.signature is None:
            return frame, False
        begins = not self._before or is_cut(list(self._before), after)
        if begins or not _alike(self._before[-1], frame.signature):
            self._before.clear()  # what was usual in another shot, or is of another shape
        if _is_new(self._before, frame.signature):
            self._before.append(frame.signature)
        if len(self._first) < _REACH:
            self._first.append(frame.signature)
        return frame, begins


def signature(image_bgr: NDArray[np.uint8]) -> Signature:
    """Make a picture, uint8 (h, w, 3), tiny. Some hundred pixels of each cell tell its mean well enough."""
    step = max(1, min(image_bgr.shape[:2]) // _ROWS)
    fewer = np.ascontiguousarray(image_bgr[::step, ::step])
    tiny = cv2.resize(fewer, _SIZE, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    height, width = image_bgr.shape[:2]
    shape = min(max(round(128 + 16 * math.log2(width / height)), 0), 255)
    return np.append(np.uint8(shape), tiny)


def is_cut(before: Sequence[Signature], after: Sequence[Signature]) -> bool:
    """Return whether a shot ends between two pictures.

    Args:
        before: up to three unlike pictures before, in order; at least one.
        after: up to three unlike pictures after, in order; at least one.
    """
    # The last but one before and the next but one after must differ as well: after a flash they don't.
    change = min(
        _change(a, b) for a, b in ((before[-1], after[0]), (before[-2:][0], after[0]), (before[-1], after[:2][-1]))
    )
    usual = [_change(a, b) for side in (before, after) for a, b in pairwise(side)]
    return change >= MIN_CHANGE and change >= MIN_RATIO * (sum(usual) / len(usual) if usual else 0.0)


def continues(before: Edges, after: Edges) -> bool:
    """Return whether a segment goes on with the shot that the one before ended with; both must have pictures."""
    return not is_cut(_unpacked(before.closing), _unpacked(after.opening))


def _distinct(signatures: Iterable[Signature]) -> list[Signature]:
    kept: list[Signature] = []
    for each in signatures:
        if _is_new(kept, each):
            kept.append(each)
    return kept


def _is_new(earlier: Sequence[Signature], latest: Signature) -> bool:
    return not earlier or _change(earlier[-1], latest) > _SAME


def _alike(a: Signature, b: Signature) -> bool:
    """Whether both pictures have the same shape, but for rounding."""
    return abs(int(a[0]) - int(b[0])) <= 1


def _change(a: Signature, b: Signature) -> float:
    if not _alike(a, b):
        return 0.0
    return float(cv2.norm(a[1:], b[1:], cv2.NORM_L1)) / (_BYTES - 1)


def _packed(signatures: Iterable[Signature]) -> bytes:
    return b"".join(each.tobytes() for each in signatures)


def _unpacked(packed: bytes) -> list[Signature]:
    return list(np.frombuffer(packed, np.uint8).reshape(-1, _BYTES))
