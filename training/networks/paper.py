"""The paper's network (Fig. 6): four 3x3 convolutions with pooling, three dense layers, 4,232,199 parameters.

"Facial Emotion Detection Using Deep Learning", Venkata Rao et al. The paper gives layers and sizes, but not the dropout
rates; those here are ours.
"""

from typing import Any

import keras
from keras import layers

from worker.emotions import EMOTIONS

CONV_FILTERS = (128, 256, 512, 512)
DENSE_UNITS = (512, 256)
CONV_DROPOUT = 0.1
DENSE_DROPOUT = 0.2


def build(width: float = 1.0, normalized: bool = False) -> Any:
    """The network, untrained, with He initialisation.

    Args:
        width: factor on the number of channels and units of every hidden layer; 1.0 is the paper's network, less is the
            start of a network that training widens (training.growth).
        normalized: for training only, with batch normalization before each ReLU; training.folding turns it into the
            plain network. Pooling comes before the normalization, which changes nothing (both it, without a scale of
            its own, and ReLU are monotone) but normalizes a quarter of the values.

    Returns:
        keras.Sequential: grey images (n, 48, 48, 1), 0-255 -> probabilities float32 (n, 7) in the order of EMOTIONS.
    """
    stack = [keras.Input((48, 48, 1)), layers.Rescaling(1 / 255, name="scale")]
    options = {"use_bias": not normalized, "activation": None if normalized else "relu"}
    for number, filters in enumerate(CONV_FILTERS, start=1):
        name = f"conv{number}"
        stack.append(layers.Conv2D(round(filters * width), 3, kernel_initializer="he_normal", name=name, **options))
        stack.append(layers.MaxPooling2D(2, name=f"pool{number}"))
        stack += _normalization(name) if normalized else []
        stack.append(layers.Dropout(CONV_DROPOUT, name=f"{name}_dropout"))
    stack.append(layers.Flatten(name="flatten"))
    for number, units in enumerate(DENSE_UNITS, start=1):
        name = f"dense{number}"
        stack.append(layers.Dense(round(units * width), kernel_initializer="he_normal", name=name, **options))
        stack += _normalization(name) if normalized else []
        stack.append(layers.Dropout(DENSE_DROPOUT, name=f"{name}_dropout"))
    # float32 also under a mixed-precision policy: probabilities must sum to 1.
    stack.append(layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name="emotions"))
    return keras.Sequential(stack, name="paper")


def _normalization(name: str) -> list[Any]:
    # Without a scale: the next layer's weights can take it up, and a negative one would not commute with pooling.
    return [
        layers.BatchNormalization(scale=False, momentum=0.97, name=f"{name}_normalization"),
        layers.ReLU(name=f"{name}_relu"),
    ]
