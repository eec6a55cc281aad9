"""Agreement with FER+'s raters, against figures known beforehand."""

import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from training.data.ferplus import COLUMNS
from training.figures.agreement import agreement


def votes(**counts: int) -> list[int]:
    return [counts.get(column, 0) for column in COLUMNS]


def answers(*emotions: str) -> np.ndarray:
    return np.eye(7, dtype=np.float32)[[EMOTIONS.index(emotion) for emotion in emotions]]


def test_contempt_counts_by_ferpluss_own_protocol_and_is_told() -> None:
    found = agreement(
        answers("happy", "sad", "neutral", "happy", "fear"),
        np.array(
            [votes(happiness=10), votes(sadness=10), votes(contempt=9), votes(sadness=8, fear=1), votes(unknown=10)]
        ),
    )
    assert (found["images"], found["accuracy"]) == (3, pytest.approx(2 / 3))
    assert (found["eight_images"], found["eight_accuracy"]) == (4, 0.5)
    assert found["contempt"] == {emotion: int(emotion == "neutral") for emotion in EMOTIONS}


def test_share_error_is_half_the_sum_of_the_differences() -> None:
    shares = np.array([[0, 0, 0, 0.7, 0, 0, 0.3], [0, 0, 0, 0, 1, 0, 0]], np.float32)
    counts = np.array([votes(happiness=4, neutral=6), votes(anger=10), [-1] * 10])
    found = agreement(np.concatenate([shares, shares[:1]]), counts)
    assert (found["share_images"], found["share_error"]) == (2, pytest.approx((0.3 + 1) / 2))
    gaps = {"happy": 0.3, "neutral": 0.3, "sad": 1.0, "angry": 1.0}  # each emotion's, of two images
    assert found["share_calibration_error"] == pytest.approx(sum(gaps.values()) / 2 / 7)


def test_intervals_hold_the_figures_and_leaked_images_can_be_left_out() -> None:
    rng = np.random.default_rng(0)
    counts = np.array([votes(happiness=6, neutral=4), votes(sadness=10)] * 200)
    said = rng.dirichlet([1, 1, 1, 8, 1, 1, 4], 400).astype(np.float32)
    leaked = np.arange(400) % 2 == 1
    found = agreement(said, counts, leaked)
    for figures in (found, found["without_leaked"]):
        for name in ("accuracy", "macro_f1", "eight_accuracy", "share_error", "share_calibration_error", "ece"):
            low, high = figures[f"{name}_interval"]
            assert low <= figures[name] <= high
    low, high = found["eight_accuracy_interval"]
    margin = 1.96 * np.sqrt(found["eight_accuracy"] * (1 - found["eight_accuracy"]) / 400)
    assert (high - low) / 2 == pytest.approx(margin, rel=0.15)
    assert found["without_leaked"]["images"] == 200
    assert found["without_leaked"]["accuracy"] == agreement(said[~leaked], counts[~leaked])["accuracy"]
