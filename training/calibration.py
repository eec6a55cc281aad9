"""What is done to a trained network's logits; the exported network's last layer has it built in.

Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017): one number divides the logits,
so that probabilities mean what they say. It changes no ranking, hence no prediction.

Balance (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021): FER2013 has sixteen times as many happy
faces as disgusted ones, and a network that is unsure learns to name what is frequent there. Recordings have other
shares; so part of the logarithm of each emotion's share is taken off its logit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import Labels, Probabilities, cross_entropy
from training.networks import HEAD
from worker.emotions import EMOTIONS

_RANGE = (0.25, 8.0)
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


def balance(training_labels: Labels, strength: float) -> NDArray[np.float64]:
    """What is added to the logits of the emotions.

    Args:
        training_labels: int64 (n,), of the images that the network learnt from.
        strength: 0 for nothing, 1 as if all emotions had been as frequent.

    Returns:
        float64 (7,).
    """
    images = np.bincount(training_labels, minlength=len(EMOTIONS)).clip(1)
    return np.asarray(-strength * np.log(images / images.sum()))


def build_in(model: Any, temperature: float = 1.0, offsets: Any = 0.0, head: str = HEAD) -> None:
    """Adds the offsets to the logits of a head of a Keras network, a dense layer with a softmax, and divides them by
    the temperature."""
    last = model.get_layer(head)
    kernel, bias = last.get_weights()
    last.set_weights([kernel / temperature, (bias + offsets) / temperature])
