"""The best crops of each tracklet of a segment, by which persons are told apart.

An embedding costs as much as some five frames of everything else, so few are made, and of crops that are worth it:
large, sharp, frontal, surely a face, and spread over the tracklet's time. Only those are held in memory.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.embedding import SIZE, Embedder, Embedding, eye_distance, normalized
from emotion_timeline.observations import Observations

LOOK_S = 1 / 3
"""Portraits are cut out about every so many seconds: one takes half a millisecond."""
WINDOW_S = 4.0
"""One portrait is kept of every so many seconds."""
MOST_PORTRAITS = 5
"""Kept of a tracklet."""
ROWS_PER_EMBEDDING = 150
"""A tracklet of so many classified rows is worth a second embedding, and so on: 52 ms of a core beside some 1,500."""
LEAST_PART = 0.5
"""Of the best portrait's quality: worse ones would draw the mean away."""

_LARGE_EYES_PX = 35.2  # as an upright face of 112 pixels has
_FRONTAL = 0.25  # below, the nose hides one eye
_BLURRED = 0.045
"""Below, different people look alike.

Faces of 80 pixels that are blurred by a standard deviation of 2 pixels have 0.06, and two of them are no more alike
than sharp ones (0.54 at the most); by 3.5 pixels 0.03, and 0.65 (102 people, `python -m benchmarks.person_threshold`).
"""
_SHARP = 0.1  # half of full marks; sharp faces of 80 pixels have 0.38, of 40 pixels 0.22
_HALF = (SIZE // 2, SIZE // 2)  # rounded greys are edges, too, where a blurred face is looked at whole


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """One face, cut out upright.

    Attributes:
        bgr: uint8 (112, 112, 3), as Embedder.align() gives it.
        quality: 0-1, how well it can be told apart; 0 where it can't be.
    """

    bgr: NDArray[np.uint8]
    quality: float


def looked_at(frames: NDArray[np.int64], sample_interval_s: float) -> Collection[int]:
    """Choose the frames of a segment whose faces are cut out.

    Args:
        frames: int64 (n,), the indexes of its sampled frames.
        sample_interval_s: seconds between them; see durations.interval_s.
    """
    step = max(1, round(LOOK_S / sample_interval_s)) if sample_interval_s > 0 else 1
    return frozenset(frames[::step].tolist())


def portray(
    embedder: Embedder,
    small_bgr: NDArray[np.uint8],
    luma: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    confidences: NDArray[np.float32],
) -> list[Portrait]:
    """Cut some faces of a frame out.

    Args:
        embedder: aligns them.
        small_bgr, luma: the frame; see Embedder.align.
        landmarks: float32 (n, 5, 2), in small_bgr's pixels.
        confidences: float32 (n,), the detector's.
    """
    scale = min(luma.shape[0] / small_bgr.shape[0], luma.shape[1] / small_bgr.shape[1])
    portraits = []
    for points, confidence in zip(landmarks, confidences, strict=True):
        bgr = embedder.align(small_bgr, luma, points)
        largeness = min(1.0, eye_distance(points) * scale / _LARGE_EYES_PX)
        frontal, sharp = frontality(points), sharpness(bgr)
        is_usable = frontal >= _FRONTAL and sharp >= _BLURRED
        quality = float(confidence) * largeness * frontal * sharp / (sharp + _SHARP)
        portraits.append(Portrait(bgr, quality if is_usable else 0.0))
    return portraits


def frontality(landmarks: NDArray[np.float32]) -> float:
    """Tell how far a face looks at the camera: 1 when the nose stands between the eyes, 0 when it's under one of them.

    Args:
        landmarks: float32 (5, 2), see detection.Faces.
    """
    right_eye, left_eye, nose = landmarks[:3]
    axis = left_eye - right_eye
    place = float((nose - right_eye) @ axis) / max(float(axis @ axis), 1e-6)  # 0 under the right eye, 1 under the left
    return float(np.clip(1 - 2 * abs(place - 0.5), 0, 1))


def sharpness(bgr: NDArray[np.uint8]) -> float:
    """Tell how sharp an upright face is, whatever its contrast: the variance of its Laplacian by that of its greys."""
    grey = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), _HALF, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / max(float(grey.var()), 1.0)


@dataclass(slots=True)
class _Page:
    """The best portrait of each window of a tracklet."""

    last_s: float = 0.0
    rows: int = 0
    best: dict[int, Portrait] = field(default_factory=dict)

    def add(self, timestamp_s: float, portrait: Portrait | None) -> None:
        self.last_s = timestamp_s
        self.rows += 1
        if portrait is None:
            return
        window = int(timestamp_s // WINDOW_S)
        if portrait.quality > (self.best[window].quality if window in self.best else 0):
            self.best[window] = portrait
            if len(self.best) > MOST_PORTRAITS:
                del self.best[min(self.best, key=lambda window: (self.best[window].quality, window))]

    def chosen(self) -> list[Portrait]:
        """Those that are worth an embedding, the best first."""
        ranked = sorted(self.best.values(), key=lambda portrait: -portrait.quality)
        worth = ranked[: 1 + self.rows // ROWS_PER_EMBEDDING]
        return [portrait for portrait in worth if portrait.quality >= LEAST_PART * ranked[0].quality]


class Album:
    """What the tracklets of one segment look like. `embeddings` holds one for each tracklet that is done."""

    def __init__(self, embedder: Embedder) -> None:
        """
        Args:
            embedder: called by the thread that calls this.
        """
        self.embedder = embedder
        self.embeddings: dict[int, Embedding] = {}
        self._pages: dict[int, _Page] = {}

    def add(self, rows: Observations, portraits: Sequence[Portrait | None]) -> None:
        """Look at classified rows, in the order of time.

        Args:
            rows: OBSERVATION (n,), with their tracklets.
            portraits: of each of them; None where it wasn't cut out.
        """
        times_s, numbers = rows["timestamp_s"].tolist(), rows["tracklet"].tolist()
        for timestamp_s, number, portrait in zip(times_s, numbers, portraits, strict=True):
            self._pages.setdefault(number, _Page()).add(timestamp_s, portrait)

    def embed_before(self, timestamp_s: float) -> None:
        """Make the embeddings of the tracklets that were last seen before this time, and let their portraits go."""
        ended = [number for number, page in self._pages.items() if page.last_s < timestamp_s]
        for number in ended:
            features = list(self._features(self._pages.pop(number)))
            if features:
                self.embeddings[number] = normalized(np.sum(features, axis=0))

    def _features(self, page: _Page) -> Iterator[Embedding]:
        for portrait in page.chosen():
            yield self.embedder.embed(portrait.bgr)
