"""A residual network whose layers fill the vector units of a processor, so that it trains faster than residual.

The 18 layers of K. He et al. at half their width, with a stem that halves the image once, as suits 48 pixels. Widths
are multiples of 32: libraries of convolutions work on 16 or 32 channels at a time.
"""

from typing import Any

import keras

from training.blocks import convolution, probabilities, stages
from training.networks import pixel_scaling
from training.recipe import Recipe
from worker.preprocessing import Scaling

ANY_SIDE = True
WIDTHS = (32, 64, 128, 256)  # channels at 24, 12, 6 and 3 pixels a side
BLOCKS = 2  # at each width
DROPOUT = 0.3
RECIPE = Recipe(
    epochs=100,
    batch_size=128,
    optimizer="sgd",
    rate=0.1,
    schedule="cosine",
    weight_decay=5e-3,
    average=0.999,
    augmentation="erasing",
    votes=1.0,
    crop=40,
)


def build(scaling: Scaling, side: int | None = 48) -> Any:
    """See training.networks.build."""
    faces = keras.Input((side, side, 1), name="faces")
    x = convolution(pixel_scaling(scaling)(faces), WIDTHS[0], "stem", size=5, stride=2)
    x = stages(x, WIDTHS, BLOCKS)
    return keras.Model(faces, probabilities(x, DROPOUT), name="compact")
