"""Batch normalization folded into the convolutions before it: same answer, and no pass over the activations of its own.

For inference only: once trained, a normalization is a factor and an offset for each channel, which can as well be part
of the kernel and the bias.
"""

from collections import Counter
from typing import Any

import keras
import numpy as np
from keras import layers, tree


def fold(model: Any) -> Any:
    """The same network with every batch normalization that follows a convolution folded into it.

    Args:
        model: a built network with its final weights, sequential or functional.

    Returns:
        A network for inference, or model itself where there is nothing to fold. Probabilities agree within 1e-5.
    """
    uses = Counter(id(tensor) for layer in model.layers for tensor in tree.flatten(layer.input))
    made_by = {id(layer.output): layer for layer in model.layers if _is_linear_convolution(layer)}
    normalizations = {
        layer.name: made_by[id(layer.input)]
        for layer in model.layers
        if isinstance(layer, layers.BatchNormalization) and id(layer.input) in made_by and uses[id(layer.input)] == 1
    }
    if not normalizations:
        return model
    convolutions = {convolution.name for convolution in normalizations.values()}

    def clone(layer: Any) -> Any:
        if layer.name in convolutions:
            return type(layer).from_config(layer.get_config() | {"use_bias": True})
        return layer

    def call(layer: Any, x: Any, **options: Any) -> Any:
        return x if layer.name in normalizations else layer(x, **options)

    folded = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for name, convolution in normalizations.items():
        weights = _with_normalization(convolution, model.get_layer(name))
        folded.get_layer(convolution.name).set_weights(weights)
    return folded


def _is_linear_convolution(layer: Any) -> bool:
    return isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D) and layer.activation is keras.activations.linear


def _with_normalization(convolution: Any, normalization: Any) -> list[Any]:
    """Kernel and bias of the convolution and the normalization after it."""
    kernel, *bias = convolution.get_weights()
    mean, variance = (np.asarray(value) for value in (normalization.moving_mean, normalization.moving_variance))
    factor = 1 / np.sqrt(variance + normalization.epsilon)
    if normalization.scale:
        factor = factor * np.asarray(normalization.gamma)
    offset = ((bias[0] if bias else 0) - mean) * factor
    # A depthwise kernel's last axes are the channels and what each becomes.
    factors = factor.reshape(kernel.shape[2:]) if isinstance(convolution, layers.DepthwiseConv2D) else factor
    return [kernel * factors, offset + np.asarray(normalization.beta) if normalization.center else offset]
