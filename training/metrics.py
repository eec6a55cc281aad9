"""Figures of merit of a classifier, from its probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.emotions import EMOTIONS

_ECE_BINS = 15


def metrics(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, Any]:
    """The figures that `training.evaluate --json` prints.

    Args:
        probabilities: float32 (n, 7), rows sum to 1, n > 0.
        labels: int64 (n,), positions in EMOTIONS.

    Returns:
        accuracy; macro_f1 (over the emotions that occur in labels or predictions); recall by emotion (None where no
        image has it); confusion_matrix (rows: label, columns: prediction); ece; images.
    """
    predictions = probabilities.argmax(axis=1)
    confusion = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    hits, actual, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    f1 = [2 * h / (a + p) for h, a, p in zip(hits, actual, predicted, strict=True) if a + p]
    return {
        "accuracy": float(hits.sum() / len(labels)),
        "macro_f1": float(np.mean(f1)),
        "recall": {e: float(h / a) if a else None for e, h, a in zip(EMOTIONS, hits, actual, strict=True)},
        "confusion_matrix": confusion.tolist(),
        "ece": _expected_calibration_error(probabilities.max(axis=1), predictions == labels),
        "images": len(labels),
    }


def _expected_calibration_error(confidence: NDArray[np.float32], correct: NDArray[np.bool_]) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins (Guo et al., ICML 2017)."""
    bins = np.minimum((confidence * _ECE_BINS).astype(int), _ECE_BINS - 1)
    gap = np.bincount(bins, weights=confidence - correct, minlength=_ECE_BINS)
    return float(np.abs(gap).sum() / len(confidence))
