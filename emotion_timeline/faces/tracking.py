"""Which boxes are the same face: linked over the frames of a segment, then over segments.

A box belongs to the face whose last box lay nearest, if that was seen recently and was about as large and about there.
Pairs are taken greedily, the nearest first, so the result depends on nothing but the boxes and their times. Nothing
looks at what a face looks like: two people who swap places while nobody sees them swap numbers as well. But no face
goes on over a cut (emotion_timeline.media.shots): where it was, somebody else may be now.

Distances are in box sizes and gaps in seconds, so that the rule holds for any resolution and any sampling rate. A gap
begins where the face's last frame ends (emotion_timeline.durations): a picture that stands still is no gap.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.durations import longest_stand_s, longest_unseen_s
from emotion_timeline.observations import Observations

Box = tuple[float, float, float, float]

# Centres may move by this many box sizes (square root of the area). Two heads side by side are at least one apart.
MAX_SHIFT = 0.75
# The larger of the two boxes may be this many times as large (in each direction) as the smaller.
MAX_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class Tracklet:
    """One face within one segment.

    Attributes:
        segment: the segment's index.
        number: the face's number within the segment, as Linker.link() gives it.
        first_timestamp_s, last_timestamp_s: when it was first and last seen, seconds from the video's first frame.
        until_s: when the frame ends in which it was last seen.
        first_box, last_box: x, y, width, height in pixels of the frame as displayed, at those times.
    """

    segment: int
    number: int
    first_timestamp_s: float
    last_timestamp_s: float
    until_s: float
    first_box: Box
    last_box: Box


@dataclass(slots=True)
class _Face:
    """A face as last seen, in a frame that ends at until_s: infinity while that isn't known."""

    number: int
    timestamp_s: float
    box: Box
    until_s: float = math.inf
    segment: int = -1


class Linker:
    """Numbers the faces of one segment, block by block; the blocks must come in the order of time."""

    def __init__(self, sample_interval_s: float) -> None:
        """
        Args:
            sample_interval_s: seconds between sampled frames; see durations.interval_s.
        """
        self._stand_s, self._unseen_s = longest_stand_s(sample_interval_s), longest_unseen_s(sample_interval_s)
        self._faces: list[_Face] = []
        self._count = 0

    def link(self, observations: Observations) -> NDArray[np.int32]:
        """Numbers the rows of the next frames.

        Args:
            observations: rows in the order of frames; every row of a frame must be in the same call.

        Returns:
            int32 (rows,): 0-based by first appearance, -1 for rows without a face.
        """
        numbers = np.full(len(observations), -1, dtype=np.int32)
        if not len(observations):
            return numbers
        for rows in np.split(np.arange(len(observations)), np.flatnonzero(np.diff(observations["frame"])) + 1):
            self._let_go(float(observations["timestamp_s"][rows[0]]))
            if observations["begins_shot"][rows[0]]:
                self._faces = []
            rows = rows[observations["face"][rows] >= 0]
            if len(rows):
                timestamp_s = float(observations["timestamp_s"][rows[0]])
                numbers[rows] = self._link_frame(timestamp_s, observations["box"][rows].tolist())
        return numbers

    def _let_go(self, timestamp_s: float) -> None:
        """A frame begins: the one before ends, and faces that were unseen for too long are forgotten."""
        for face in self._faces:
            face.until_s = min(face.until_s, timestamp_s, face.timestamp_s + self._stand_s)
        self._faces = [face for face in self._faces if timestamp_s - face.until_s <= self._unseen_s]

    def _link_frame(self, timestamp_s: float, boxes: list[Box]) -> list[int]:
        matches = _match(self._faces, boxes)
        numbers = []
        for i, box in enumerate(boxes):
            face = matches.get(i)
            if face is None:
                face = _Face(self._count, timestamp_s, box)
                self._count += 1
                self._faces.append(face)
            face.timestamp_s, face.box, face.until_s = timestamp_s, box, math.inf
            numbers.append(face.number)
        return numbers


def join(
    tracklets: Iterable[Tracklet], sample_interval_s: float, cuts_s: Sequence[float] = ()
) -> dict[tuple[int, int], int]:
    """Joins the faces of all segments by the same rule, as if linking had gone on from segment to segment.

    Args:
        tracklets: of the whole video, in any order.
        sample_interval_s: seconds between sampled frames; see durations.interval_s.
        cuts_s: when shots begin, in order, in seconds from the video's first frame.

    Returns:
        face id, 1-based by first appearance, for every (segment, number).
    """
    unseen_s = longest_unseen_s(sample_interval_s)
    ordered = sorted(tracklets, key=lambda t: (t.first_timestamp_s, t.segment, t.number))
    faces: list[_Face] = []
    ids: dict[tuple[int, int], int] = {}
    count = 0
    for (timestamp_s, segment), group in groupby(ordered, key=lambda t: (t.first_timestamp_s, t.segment)):
        beginning = list(group)
        begun = bisect_right(cuts_s, timestamp_s)
        shot_s = cuts_s[begun - 1] if begun else -math.inf
        faces = [face for face in faces if timestamp_s - face.until_s <= unseen_s and face.timestamp_s >= shot_s]
        # Within its own segment Linker has decided already.
        unseen = [face for face in faces if face.segment != segment and face.timestamp_s < timestamp_s]
        matches = _match(unseen, [tracklet.first_box for tracklet in beginning])
        for i, tracklet in enumerate(beginning):
            face = matches.get(i)
            if face is None:
                count += 1
                face = _Face(count, timestamp_s, tracklet.first_box)
                faces.append(face)
            face.timestamp_s, face.until_s = tracklet.last_timestamp_s, tracklet.until_s
            face.box, face.segment = tracklet.last_box, segment
            ids[tracklet.segment, tracklet.number] = face.number
    return ids


def _match(faces: list[_Face], boxes: list[Box]) -> dict[int, _Face]:
    """Pairs boxes with faces, the nearest pair first; ties go to the older face and the left box.

    Returns:
        the face for each matched index of `boxes`.
    """
    pairs = sorted(
        (distance, face.number, i)
        for face in faces
        for i, box in enumerate(boxes)
        if (distance := _distance(face.box, box)) is not None
    )
    by_number = {face.number: face for face in faces}
    matches: dict[int, _Face] = {}
    for _, number, i in pairs:
        if number in by_number and i not in matches:
            matches[i] = by_number.pop(number)
    return matches


def _distance(a: Box, b: Box) -> float | None:
    """How far apart two boxes are, in box sizes, with the logarithm of their size ratio; None if not the same face."""
    size_a, size_b = (max(math.sqrt(box[2] * box[3]), 1e-6) for box in (a, b))
    growth = max(size_a, size_b) / min(size_a, size_b)
    dx = a[0] + a[2] / 2 - b[0] - b[2] / 2
    dy = a[1] + a[3] / 2 - b[1] - b[3] / 2
    shift = 2 * math.hypot(dx, dy) / (size_a + size_b)
    if shift > MAX_SHIFT or growth > MAX_GROWTH:
        return None
    return shift + math.log(growth)
