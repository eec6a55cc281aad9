"""How far a network agrees with FER+'s raters: with their majority, and with the shares of their votes.

Share error: the mean over images of the total variation distance between predicted and voted shares, which is half the
sum over emotions of their absolute differences: 0 where they are the same, 1 where they have nothing in common.

Share calibration error: for each emotion, images are put into 15 equal bins by its predicted share; the distance
between mean predicted and mean voted share is averaged over images, then over emotions (classwise calibration error,
Kull et al., "Beyond temperature scaling", NeurIPS 2019, with shares of votes in place of labels).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from training.data.ferplus import COLUMNS, EIGHT, distributions, majority_choices, majority_labels
from training.figures.metrics import CALIBRATION_BINS, Probabilities, metrics

_RESAMPLES, _AT_ONCE = 1_000, 100


class _Figure(NamedTuple):
    """The mean of a value over the images that count: float64 (n,), bool (n,)."""

    values: NDArray[np.float64]
    counted: NDArray[np.bool_]


def agreement(
    probabilities: Probabilities, votes: NDArray[np.int64], leaked: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """The figures of a head against FER+'s votes; see the module for the errors.

    Args:
        probabilities: float32 (n, 7), rows sum to 1.
        votes: int64 (n, 10), in the order of FER+'s columns; one image or more has a majority for one of the seven.
        leaked: bool (n,), which images are also in the training split.

    Returns:
        Over the images whose majority is one of the seven emotions: the figures of metrics.metrics. By FER+'s own
        protocol, over those whose majority is one of its eight, so that contempt is always wrong: eight_accuracy,
        eight_images. Over those whose votes are mostly for the seven: share_error, share_calibration_error,
        share_images. Each with its 95 % interval (..._interval). contempt: of the images with that majority, how many
        are called by each emotion. Given leaked, without_leaked: the same figures, each a number, without those images.
    """
    majority, choices = majority_labels(votes), majority_choices(votes)
    decided = majority >= 0
    figures = _figures(probabilities, votes)
    contempt = probabilities[choices == COLUMNS.index("contempt")].argmax(axis=1)
    return {
        **metrics(probabilities[decided], majority[decided]),
        **_with_intervals(figures, len(votes)),
        "eight_images": int(figures["eight_accuracy"].counted.sum()),
        "share_images": int(figures["share_error"].counted.sum()),
        "contempt": {e: int((contempt == place).sum()) for place, e in enumerate(EMOTIONS)},
        **({} if leaked is None else {"without_leaked": _without(probabilities, votes, leaked)}),
    }


def _without(probabilities: Probabilities, votes: NDArray[np.int64], leaked: NDArray[np.bool_]) -> dict[str, Any]:
    if not (majority_labels(votes[~leaked]) >= 0).any():
        return {}
    found = agreement(probabilities[~leaked], votes[~leaked])
    kept = ("images", "eight_images", "share_images", "accuracy", "macro_f1", *_figures(probabilities, votes))
    return {name: found[name] for key in kept for name in (key, f"{key}_interval") if name in found}


def _figures(probabilities: Probabilities, votes: NDArray[np.int64]) -> dict[str, _Figure]:
    majority, shares = majority_labels(votes), distributions(votes)
    decided: NDArray[np.bool_] = np.asarray(majority >= 0)
    known: NDArray[np.bool_] = np.logical_not(np.isnan(shares).any(axis=1))
    shares = np.nan_to_num(shares)
    right = probabilities.argmax(axis=1) == majority
    distance = np.abs(probabilities - shares).sum(axis=1) / 2
    by_emotion = [_gaps(said, voted, known) for said, voted in zip(probabilities.T, shares.T, strict=True)]
    return {
        "ece": _Figure(_gaps(probabilities.max(axis=1), right.astype(np.float32), decided), decided),
        "eight_accuracy": _Figure(right.astype(np.float64), np.isin(majority_choices(votes), EIGHT)),
        "share_error": _Figure(distance.astype(np.float64), known),
        "share_calibration_error": _Figure(np.mean(by_emotion, axis=0), known),
    }


def _gaps(
    predicted: NDArray[np.float32], found: NDArray[np.float32], counted: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What each image adds to a calibration error: how much more was predicted than found, or less where its bin as a
    whole says less. float64 (n,), whose mean over the images that count is the error."""
    bins = np.minimum((predicted * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = (predicted - found).astype(np.float64)
    signs = np.sign(np.bincount(bins, weights=gaps * counted, minlength=CALIBRATION_BINS))
    return np.asarray(gaps * signs[bins])


def _with_intervals(figures: Mapping[str, _Figure], n: int, seed: int = 0) -> dict[str, Any]:
    """Each figure, and its 95 % interval by 1,000 resamples of the images (percentile bootstrap).

    For an error of calibration, in which direction each bin errs is taken as known: a sum of absolute values grows by
    resampling alone.
    """
    rng = np.random.default_rng(seed)
    values = np.stack([figure.values * figure.counted for figure in figures.values()], axis=1)  # (n, figures)
    counted = np.stack([figure.counted for figure in figures.values()], axis=1).astype(np.float64)
    means = []
    for _ in range(_RESAMPLES // _AT_ONCE):
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=_AT_ONCE).astype(np.float64)
        means.append((drawn @ values) / (drawn @ counted).clip(1))
    ends = np.quantile(np.concatenate(means), [0.025, 0.975], axis=0)
    whole = values.sum(axis=0) / counted.sum(axis=0).clip(1)
    return {name: float(value) for name, value in zip(figures, whole, strict=True)} | {
        f"{name}_interval": [float(low), float(high)] for name, low, high in zip(figures, *ends, strict=True)
    }
