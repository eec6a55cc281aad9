"""Batch normalization makes training several times shorter, but is no part of the network: here it is folded away.

S. Ioffe, C. Szegedy, "Batch Normalization", ICML 2015. With fixed statistics it is an affine map of each channel, which
the convolution or dense layer before it can do itself.
"""

from typing import Any

import numpy as np
from keras import layers


def fold(trained: Any, plain: Any) -> None:
    """Sets the weights of a plain network so that it computes what the trained, normalized one computes in inference.

    Args:
        trained: a sequential network built with normalized=True (or without: then its weights are copied).
        plain: the same network built with normalized=False; its weights are overwritten.
    """
    weights: list[Any] = []
    for layer in trained.layers:
        if isinstance(layer, layers.BatchNormalization):
            beta, mean, variance = (np.asarray(value, np.float64) for value in layer.get_weights())
            scale = 1 / np.sqrt(variance + layer.epsilon)
            weights[-1] = (weights[-1] * scale).astype(np.float32)  # the kernel: (..., channels)
            weights.append((beta - mean * scale).astype(np.float32))
        else:
            weights += layer.get_weights()
    plain.set_weights(weights)
