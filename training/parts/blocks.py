"""What residual networks are made of: K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016."""

from typing import Any

from keras import layers

from emotion_timeline.emotions import EMOTIONS
from training.parts.heads import HEAD


def convolution(
    x: Any, width: int, name: str, size: int = 3, stride: int = 1, relu: bool = True, ceiling: float | None = None
) -> Any:
    """A convolution with batch normalization, and with a ReLU unless the block goes on with a sum.

    Args:
        x: float (n, height, width, channels).
        width: channels of the answer.
        name: prefix of the layers' names.
        size, stride: of the convolution, pixels.
        relu, ceiling: as for normalized.
    """
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    x = layers.Conv2D(width, size, strides=stride, name=name, **options)(x)
    return normalized(x, name, relu, ceiling)


def normalized(x: Any, name: str, relu: bool = True, ceiling: float | None = None) -> Any:
    """What follows a convolution.

    Args:
        x: float (n, height, width, channels).
        name: prefix of the layers' names.
        relu: whether negative values become 0.
        ceiling: what greater values become, where there is a ReLU.
    """
    x = layers.BatchNormalization(name=f"{name}_normalization")(x)
    return layers.ReLU(ceiling, name=f"{name}_relu")(x) if relu else x


def stages(x: Any, widths: tuple[int, ...], blocks: int) -> Any:
    """Stages of basic blocks: two 3x3 convolutions each, beside a path around them.

    Args:
        x: float (n, height, width, widths[0]).
        widths: channels of each stage; each but the first halves the image.
        blocks: in each stage.
    """
    for stage, width in enumerate(widths, start=1):
        for block in range(1, blocks + 1):
            x = _block(x, width, f"stage{stage}_block{block}", stride=2 if block == 1 < stage else 1)
    return x


def probabilities(x: Any, dropout: float) -> Any:
    """What a network ends with: the channels' means, dropout and a softmax over the emotions.

    Args:
        x: float (n, height, width, channels).
        dropout: 0-1, part of the means that a training step leaves out.

    Returns:
        float32 (n, 7), in the order of EMOTIONS.
    """
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    # float32 also under a mixed-precision policy: probabilities must sum to 1.
    return layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name=HEAD)(x)


def _block(x: Any, width: int, name: str, stride: int) -> Any:
    y = convolution(x, width, f"{name}_a", stride=stride)
    y = convolution(y, width, f"{name}_b", relu=False)
    if stride != 1:
        x = convolution(x, width, f"{name}_skip", size=1, stride=stride, relu=False)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_sum")([x, y]))
