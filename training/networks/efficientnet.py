"""EfficientNet-Lite0, begun with what it learnt from ImageNet (parts/imagenet.py), for grey faces of 48 pixels.

M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019. It learnt from
images in which a face would have twice as many pixels a side. Enlarging a face by two and then halving it in the
network's first convolution is one convolution that does neither: that is the stem here.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from emotion_timeline.faces.preprocessing import Scaling
from training.networks import pixel_scaling
from training.parts import imagenet
from training.parts.blocks import convolution, normalized, probabilities
from training.recipe import Recipe

ANY_SIDE = True
STEM_WIDTH, HEAD_WIDTH = 32, 1280
EXPANSION = 6  # of a block's channels, where its convolution over space happens
CEILING = 6  # of what a ReLU lets through
DROPOUT = 0.3
# Edges and the like, which faces and ImageNet share: not trained, which saves two thirds of their cost.
FROZEN = ("stem", "block0", "block1", "block2")
PRETRAINED = imagenet.SOURCE
RECIPE = Recipe(
    epochs=16,
    batch_size=128,
    optimizer="adam",
    rate=7e-4,
    schedule="cosine",
    weight_decay=0.05,
    average=0.998,
    augmentation="erasing",
    scaling="-1..1",
    votes=1.0,
    crop=40,
)
# See training.generations. The first generation knows its training images hardly better than others: the next one is
# held back less (docs/experiments.md).
NEXT_GENERATIONS = ({"epochs": 20, "rate": 5e-4, "augmentation": "mild", "taught": 0.5, "recall": 0.51},)


class Stage(NamedTuple):
    """Blocks of the same kind."""

    blocks: int
    kernel: int  # pixels a side
    stride: int  # of the first block
    width: int  # channels


STAGES = (
    Stage(1, 3, 1, 16),
    Stage(2, 3, 2, 24),
    Stage(2, 5, 2, 40),
    Stage(3, 3, 2, 80),
    Stage(3, 5, 1, 112),
    Stage(4, 5, 2, 192),
    Stage(1, 3, 1, 320),
)
# Bilinear enlargement by two around three of the pixels: the three enlarged pixels at which the stem looks, as sums of
# the pixel before, the pixel itself and the one after.
_ENLARGED = np.array([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25], [0.0, 0.25, 0.75]])


def build(scaling: Scaling, side: int | None = 48) -> Any:
    """See training.networks.build."""
    faces = keras.Input((side, side, 1), name="faces")
    x = convolution(pixel_scaling(scaling)(faces), STEM_WIDTH, "stem", ceiling=CEILING)
    number = 0
    for stage in STAGES:
        for block in range(stage.blocks):
            x = _block(x, f"block{number}", stage, first=block == 0)
            number += 1
    x = convolution(x, HEAD_WIDTH, "head", size=1, ceiling=CEILING)
    model = keras.Model(faces, probabilities(x, DROPOUT), name="efficientnet")
    for layer in model.layers:
        layer.trainable = layer.name.partition("_")[0] not in FROZEN
    return model


def begin(model: Any) -> None:
    """Gives the network the weights that ImageNet taught it, all but those of its last layers.

    Raises:
        TrainingError: they can't be had; see training.parts.imagenet.
    """
    weights = imagenet.load_weights()
    for layer, source, normalization in _names():
        kernel = weights[f"{source}.weight"].transpose(2, 3, 1, 0)
        if layer == "stem":
            kernel = _on_small_grey_images(kernel)
        if layer.endswith("depthwise"):
            kernel = kernel.swapaxes(2, 3)
        model.get_layer(layer).set_weights([kernel])
        mine = model.get_layer(f"{layer}_normalization")  # by name: the order depends on whether it's frozen
        mine.gamma.assign(weights[f"{normalization}.weight"])
        mine.beta.assign(weights[f"{normalization}.bias"])
        mine.moving_mean.assign(weights[f"{normalization}.running_mean"])
        mine.moving_variance.assign(weights[f"{normalization}.running_var"])


def _on_small_grey_images(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a 3x3 convolution of stride 2 over enlarged colour images is to the grey images themselves."""
    small: NDArray[np.float64] = np.einsum("ab,cd,acio->bdo", _ENLARGED, _ENLARGED, kernel)
    return small[:, :, np.newaxis].astype(np.float32)


def _block(x: Any, name: str, stage: Stage, first: bool) -> Any:
    y, width = x, x.shape[-1]
    if width != STEM_WIDTH:
        y = convolution(y, EXPANSION * width, f"{name}_expand", size=1, ceiling=CEILING)
    options = {"padding": "same", "use_bias": False, "depthwise_initializer": "he_normal"}
    stride = stage.stride if first else 1
    y = layers.DepthwiseConv2D(stage.kernel, strides=stride, name=f"{name}_depthwise", **options)(y)
    y = normalized(y, f"{name}_depthwise", ceiling=CEILING)
    y = convolution(y, stage.width, f"{name}_project", size=1, relu=False)
    return y if first else layers.Add(name=f"{name}_sum")([x, y])


def _names() -> Iterator[tuple[str, str, str]]:
    """Each convolution's name here, and its and its normalization's in the file of weights."""
    yield "stem", "_conv_stem", "_bn0"
    for number in range(sum(stage.blocks for stage in STAGES)):
        block = f"_blocks.{number}"
        if number:
            yield f"block{number}_expand", f"{block}._expand_conv", f"{block}._bn0"
        yield f"block{number}_depthwise", f"{block}._depthwise_conv", f"{block}._bn1"
        yield f"block{number}_project", f"{block}._project_conv", f"{block}._bn2"
    yield "head", "_conv_head", "_bn1"
