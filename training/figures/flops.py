"""How much a network has to compute for one face, whatever the machine."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from keras import layers


def flops(model: Any) -> int:
    """Floating-point operations of the convolutions and dense layers, by their definition, for one image.

    Args:
        model: a built Keras network; layers nested in it are counted, too.

    Returns:
        Two for each multiplication with its addition. Biases, activations, pooling and scaling, which are a hundredth,
        are not counted.
    """
    return sum(2 * _multiplications(layer) for layer in _leaves(model))


def _leaves(model: Any) -> list[Any]:
    return [leaf for layer in model.layers for leaf in (_leaves(layer) if hasattr(layer, "layers") else [layer])]


def _multiplications(layer: Any) -> int:
    if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
        return _product(layer.output.shape[1:-1]) * _product(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return _product(layer.kernel.shape)
    return 0


def _product(sizes: Iterable[int]) -> int:
    return int(np.prod(list(sizes)))
