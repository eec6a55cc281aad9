"""Figures of merit of a classifier, from its probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS

CALIBRATION_BINS = 15
_RESAMPLES = 10_000

Probabilities = NDArray[np.float32]
Labels = NDArray[np.int64]
Confusion = NDArray[np.int64]


def metrics(probabilities: Probabilities, labels: Labels) -> dict[str, Any]:
    """The figures that describe a network on a labelled split.

    Args:
        probabilities: float32 (n, 7), rows sum to 1, n > 0.
        labels: int64 (n,), positions in EMOTIONS.

    Returns:
        accuracy, macro_f1 (over the emotions that occur in labels or predictions), each with its 95 % interval
        (accuracy_interval, macro_f1_interval: see bootstrap_intervals); precision, recall and f1 by emotion (None where
        undefined: never predicted, or no image has it); confusion_matrix (rows: label, columns: prediction); ece
        (expected calibration error); cross_entropy; images.
    """
    confusion = confusion_matrix(probabilities.argmax(axis=1), labels)
    hits, actual, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    accuracy_interval, macro_f1_interval = bootstrap_intervals(confusion)
    return {
        "accuracy": float(hits.sum() / len(labels)),
        "accuracy_interval": accuracy_interval,
        "macro_f1": float(macro_f1(confusion)),
        "macro_f1_interval": macro_f1_interval,
        "precision": _by_emotion(hits, predicted),
        "recall": _by_emotion(hits, actual),
        "f1": _by_emotion(2 * hits, actual + predicted),
        "confusion_matrix": confusion.tolist(),
        "ece": expected_calibration_error(probabilities, labels),
        "cross_entropy": cross_entropy(probabilities, labels),
        "images": len(labels),
    }


def confusion_matrix(predictions: Labels, labels: Labels) -> Confusion:
    """int64 (7, 7): how many images of the row's emotion were taken for the column's."""
    confusion = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    return confusion


def macro_f1(confusion: Confusion) -> NDArray[np.float64]:
    """Mean F1 over the emotions that occur.

    Args:
        confusion: int (..., 7, 7), one confusion matrix or many.

    Returns:
        float64 (...).
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    total = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    f1 = 2 * hits / np.maximum(total, 1)
    return np.asarray(f1.sum(axis=-1) / (total > 0).sum(axis=-1))


def bootstrap_intervals(confusion: Confusion, seed: int = 0) -> tuple[list[float], list[float]]:
    """95 % intervals of accuracy and macro-F1, by 10,000 resamples of the images (percentile bootstrap).

    Drawing n images with replacement is drawing the confusion matrix from a multinomial distribution.
    """
    n = int(confusion.sum())
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, confusion.ravel() / n, size=_RESAMPLES).reshape(-1, *confusion.shape)
    accuracy = np.trace(drawn, axis1=1, axis2=2) / n
    quantiles = (np.quantile(values, [0.025, 0.975]) for values in (accuracy, macro_f1(drawn)))
    low_and_high = [[float(low), float(high)] for low, high in quantiles]
    return low_and_high[0], low_and_high[1]


def expected_calibration_error(probabilities: Probabilities, labels: Labels) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins of confidence (Guo et al., ICML 2017)."""
    confidence, accuracy, images = reliability(probabilities, labels)
    return float((np.abs(confidence - accuracy) * images).sum() / len(labels))


def reliability(
    probabilities: Probabilities, labels: Labels
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean confidence, accuracy and number of images in each of 15 equal bins of confidence; 0 where it is empty."""
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    images = np.bincount(bins, minlength=CALIBRATION_BINS)
    sums = (
        np.bincount(bins, weights=values, minlength=CALIBRATION_BINS)
        for values in (confidence, probabilities.argmax(axis=1) == labels)
    )
    mean_confidence, accuracy = (total / np.maximum(images, 1) for total in sums)
    return mean_confidence, accuracy, images


def cross_entropy(probabilities: Probabilities, labels: Labels) -> float:
    """Mean negative natural logarithm of the probability of the right emotion, which counts as at least 1e-7."""
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(right, 1e-7)).mean())


def _by_emotion(part: NDArray[np.int64], whole: NDArray[np.int64]) -> dict[str, float | None]:
    return {e: float(p / w) if w else None for e, p, w in zip(EMOTIONS, part, whole, strict=True)}
