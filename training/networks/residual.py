"""A residual network of 3x3 convolutions with batch normalization, small enough for a CPU.

The stem looks at every pixel once, with few channels, and halves the image, which leaves less than half of the paper's
operations.
"""

from typing import Any

import keras

from emotion_timeline.faces.preprocessing import Scaling
from training.networks import pixel_scaling
from training.parts.blocks import convolution, probabilities, stages
from training.recipe import Recipe

ANY_SIDE = True
STEM_WIDTH = 24  # channels at 48 pixels a side
WIDTHS = (36, 72, 144, 288)  # channels at 24, 12, 6 and 3 pixels a side
BLOCKS = 2  # at each width
DROPOUT = 0.3
RECIPE = Recipe(
    epochs=75,
    batch_size=128,
    optimizer="sgd",
    rate=0.1,
    schedule="cosine",
    weight_decay=5e-3,
    average=0.999,
    augmentation="video",
    mixup=0.2,
    label_smoothing=0.1,
    votes=1.0,
    crop=40,
)
# See training.generations. The first generation knows its training images hardly better than others: the next one is
# held back less (docs/experiments.md).
_SECOND = {
    "epochs": 45,
    "rate": 0.02,
    "weight_decay": 2e-3,
    "augmentation": "mild",
    "mixup": 0.0,
    "taught": 0.3,
}
# The second knows its training images better than others. Smoothed labels would teach it less than other networks do.
_THIRD = _SECOND | {"epochs": 40, "augmentation": "erasing", "label_smoothing": 0.0, "taught": 0.7, "recall": 0.5}
NEXT_GENERATIONS = (_SECOND, _THIRD)


def build(scaling: Scaling, side: int | None = 48) -> Any:
    """See training.networks.build."""
    faces = keras.Input((side, side, 1), name="faces")
    x = convolution(pixel_scaling(scaling)(faces), STEM_WIDTH, "stem_a")
    x = convolution(x, WIDTHS[0], "stem_b", stride=2)
    x = stages(x, WIDTHS, BLOCKS)
    return keras.Model(faces, probabilities(x, DROPOUT), name="residual")
