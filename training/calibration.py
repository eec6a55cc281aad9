"""Temperature scaling: probabilities that mean what they say (Guo et al., "On Calibration of Modern Neural Networks").

One number divides the logits. It changes no ranking, hence no prediction. The exported network's last layer has it
built in, so whoever runs the network gets calibrated probabilities.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import Labels, Probabilities, cross_entropy
from training.networks import HEAD

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


def build_in(model: Any, temperature: float, head: str = HEAD) -> None:
    """Divides the logits of a head of a Keras network, a dense layer with a softmax, by the temperature."""
    last = model.get_layer(head)
    weights: list[NDArray[np.float32]] = last.get_weights()
    last.set_weights([value / temperature for value in weights])
