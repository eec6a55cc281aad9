"""What the frames of a face add up to: how many there are, how long they stand, and each emotion's share of them.

An emotion's share is the part of the classified frames in which it is the most probable of the seven. A face has one
row in a frame: where it was merged with another that is seen beside it, the better of the two counts, and the other
does not. List, chart, cards, summaries and the JSON file all tell these numbers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import RANKING, Observations, Status

_BEST_FIRST = np.argsort(RANKING)  # rank by status


@dataclass(frozen=True, slots=True)
class Sums:
    """What the frames of a face, or of several, add up to.

    Attributes:
        frames: in which it was found.
        first_timestamp_s: of the first of these; infinity without one.
        last_timestamp_s: of the last; minus infinity without one.
        on_screen_s: for how long they stand; see emotion_timeline.durations.
        confidence: sum of the detector's scores.
        emotion_frames: classified frames by their most probable emotion.
        emotion_sums: sums of the probabilities over the classified frames.
    """

    frames: int
    first_timestamp_s: float
    last_timestamp_s: float
    on_screen_s: float
    confidence: float
    emotion_frames: dict[str, int]
    emotion_sums: dict[str, float]

    @classmethod
    def of(cls, observations: Observations, stands_s: NDArray[np.float64]) -> Self:
        """Add up frames.

        Args:
            observations: one row for each, with a face.
            stands_s: float64 (n,), how long each stands.
        """
        classified = observations["probabilities"][observations["status"] == Status.OK].astype(np.float64)
        counts = np.bincount(classified.argmax(axis=1), minlength=len(EMOTIONS)) if len(classified) else [0] * 7
        times = observations["timestamp_s"]
        return cls(
            len(observations),
            float(times.min()),
            float(times.max()),
            float(stands_s.sum()),
            float(observations["confidence"].astype(np.float64).sum()),
            dict(zip(EMOTIONS, (int(count) for count in counts), strict=True)),
            dict(zip(EMOTIONS, classified.sum(axis=0).tolist(), strict=True)),
        )

    @classmethod
    def total(cls, parts: Iterable["Sums"]) -> Self:
        """The sums of frames that were added up in parts."""
        found = list(parts)
        return cls(
            sum(part.frames for part in found),
            min((part.first_timestamp_s for part in found), default=math.inf),
            max((part.last_timestamp_s for part in found), default=-math.inf),
            math.fsum(part.on_screen_s for part in found),
            math.fsum(part.confidence for part in found),
            {emotion: sum(part.emotion_frames[emotion] for part in found) for emotion in EMOTIONS},
            {emotion: math.fsum(part.emotion_sums[emotion] for part in found) for emotion in EMOTIONS},
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """As as_json() gave it."""
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """For storing; there must be a frame."""
        return asdict(self)

    @property
    def frames_classified(self) -> int:
        """Frames with probabilities."""
        return sum(self.emotion_frames.values())

    @property
    def frames_too_small(self) -> int:
        """Frames in which the face is too small to be classified."""
        return self.frames - self.frames_classified

    @property
    def shares(self) -> dict[str, float]:
        """Each emotion's share, 0-1; see shares_of()."""
        return shares_of(self.emotion_frames)

    @property
    def means(self) -> dict[str, float]:
        """Mean probability of each emotion over the classified frames, 0-1; 0 where there are none."""
        return {emotion: total / (self.frames_classified or 1) for emotion, total in self.emotion_sums.items()}

    @property
    def mean_confidence(self) -> float:
        """Mean of the detector's score, 0-1."""
        return self.confidence / (self.frames or 1)


def shares_of(emotion_frames: Mapping[str, int]) -> dict[str, float]:
    """Each emotion's share of classified frames, 0-1; all 0 where there are none.

    Args:
        emotion_frames: classified frames by their most probable emotion.
    """
    total = sum(emotion_frames.values()) or 1
    return {emotion: count / total for emotion, count in emotion_frames.items()}


def most_probable(probabilities: Sequence[float]) -> int:
    """Place of the most probable emotion, the first one among equals."""
    return max(range(len(EMOTIONS)), key=probabilities.__getitem__)


def rank(status: str, confidence: float | None) -> tuple[int, float]:
    """The least of these, the first one among equals, is the row that a frame with several of one face counts with."""
    names = [one.name.lower() for one in RANKING]
    return (names.index(status) if status in names else len(names)), -(confidence or 0.0)


def once_per_frame(observations: Observations, faces: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which rows count, where each face counts once in a frame; by the rule of rank().

    Args:
        observations: OBSERVATION (n,), in order of frame and, within it, from left to right.
        faces: int (n,), whose row each is; those of 0 and below are nobody's and all count.

    Returns:
        bool (n,).
    """
    ranks = _BEST_FIRST[observations["status"]]
    confidence = np.nan_to_num(observations["confidence"])
    order = np.lexsort((-confidence, ranks, faces, observations["frame"]))
    again = np.zeros(len(order), np.bool_)
    again[1:] = (np.diff(faces[order]) == 0) & (np.diff(observations["frame"][order]) == 0) & (faces[order][1:] > 0)
    counts = np.ones(len(order), np.bool_)
    counts[order[again]] = False
    return counts


def are_seen_together(spans_s: Iterable[tuple[float, float]]) -> bool:
    """Whether any two of these stretches of time, each from its first to its last moment, have a moment in common."""
    ordered = sorted(spans_s)
    latest_s = np.maximum.accumulate([last for _, last in ordered])
    return any(first <= latest for (first, _), latest in zip(ordered[1:], latest_s[:-1], strict=True))
