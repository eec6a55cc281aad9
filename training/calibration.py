"""What is done to a trained network's logits; the exported network's last layer has it built in.

Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017): one number divides the logits,
so that probabilities mean what they say. It changes no ranking, hence no prediction.

Offsets (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021): a network that is unsure names what is
frequent, such as happy, of which FER2013 has sixteen times as many faces as of disgust, or what it confuses least. A
constant added to an emotion's logit lets it be found more often, at the cost of the others. Or it lets each emotion's
mean probability be its share of the labels (Alexandari et al., "Maximum Likelihood with Bias-Corrected Calibration is
Hard-To-Beat at Label Shift Adaptation", ICML 2020): a network that learnt the shares of votes is unsure of rare
emotions where most of the voters agree.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from training.metrics import Labels, Probabilities, cross_entropy
from training.networks import HEAD

_RANGE = (0.25, 8.0)
_OFFSET_STEP, _OFFSET_STEPS = 0.02, 1000
_FREQUENCY_STEPS = 200
_STEPS = 40  # of golden section search: down to a millionth of the range


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature with the least cross-entropy.

    Args:
        probabilities: float32 (n, 7), not scaled yet.
        labels: int64 (n,).

    Returns:
        A number from 0.25 to 8; above 1 where the network is too sure of itself.
    """
    low, high = (float(value) for value in np.log(_RANGE))
    ratio = (5**0.5 - 1) / 2

    def loss(log_temperature: float) -> float:
        return cross_entropy(scaled(probabilities, float(np.exp(log_temperature))), labels)

    # Cross-entropy is convex in 1 / temperature, so it has one minimum.
    for _ in range(_STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def scaled(probabilities: Probabilities, temperature: float) -> Probabilities:
    """What the probabilities become when the logits are divided by the temperature: float32 (n, 7)."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-12)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def fit_offsets(probabilities: Probabilities, labels: Labels, recall: float) -> NDArray[np.float64]:
    """The least offsets by which each emotion is found in so many of its images.

    The emotion that is found least gets a little more, again and again.

    Args:
        probabilities: float32 (n, 7).
        labels: int64 (n,).
        recall: 0-1, part of the images of each emotion; those without images count as found.

    Returns:
        float64 (7,), 0 or more, to add to the logits. Where no offsets are enough, those that came nearest.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))
    images = np.bincount(labels, minlength=len(EMOTIONS))
    offsets = nearest = np.zeros(len(EMOTIONS))
    best = -1.0
    for _ in range(_OFFSET_STEPS):
        hits = np.bincount(labels[(logits + offsets).argmax(axis=1) == labels], minlength=len(EMOTIONS))
        found = np.where(images > 0, hits / images.clip(1), 1.0)
        if found.min() > best:
            best, nearest = found.min(), offsets
        if best >= recall:
            break
        offsets = offsets + _OFFSET_STEP * (np.arange(len(EMOTIONS)) == found.argmin())
    return np.round(nearest, 2)  # of the sums of steps, what floats add to them


def fit_frequencies(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """The offsets with the least cross-entropy: with them, each emotion's mean probability is its share of the labels.

    Each step adds the logarithms of what the mean probabilities lack, which raises the likelihood until they lack
    nothing (J. Darroch and D. Ratcliff, "Generalized Iterative Scaling for Log-Linear Models", 1972).

    Args:
        probabilities: float32 (n, 7).
        labels: int64 (n,). Each emotion counts as if one more image had it, so that none is ruled out.

    Returns:
        float64 (7,), of mean 0, to add to the logits.
    """
    images = np.bincount(labels, minlength=len(EMOTIONS)) + 1
    shares, offsets = images / images.sum(), np.zeros(len(EMOTIONS))
    for _ in range(_FREQUENCY_STEPS):
        offsets += np.log(shares / scaled(probabilities * np.exp(offsets), 1.0).mean(axis=0, dtype=np.float64))
    return np.asarray(offsets - offsets.mean())


def build_in(model: Any, temperature: float = 1.0, offsets: Any = 0.0, head: str = HEAD) -> None:
    """Adds the offsets to the logits of a head of a Keras network, a dense layer with a softmax, and divides them by
    the temperature."""
    last = model.get_layer(head)
    kernel, bias = last.get_weights()
    last.set_weights([kernel / temperature, (bias + offsets) / temperature])
