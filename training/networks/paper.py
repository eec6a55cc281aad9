"""The paper's network (Fig. 6): four 3x3 convolutions with pooling, three dense layers, 4,232,199 parameters.

"Facial Emotion Detection Using Deep Learning", Venkata Rao et al. The paper gives layers, sizes, optimizer and epochs,
but neither dropout rates nor batch size. Those here are of a public implementation of exactly these layers for exactly
the paper's data set: github.com/seelam-nandini/Face-Expression-Recognition (faceemotiondetector.json and README.md).
"""

from typing import Any

import keras
from keras import layers

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Scaling
from training.networks import pixel_scaling
from training.recipe import Recipe

CONV_FILTERS = (128, 256, 512, 512)
CONV_DROPOUT = 0.4
DENSE_UNITS_AND_DROPOUT = ((512, 0.4), (256, 0.3))
# The paper names augmentation, but the figures in its Fig. 9 are those of a run without: see docs/paper.md.
RECIPE = Recipe(epochs=100, batch_size=128, rate=1e-3, schedule="constant", augmentation="none")


def build(scaling: Scaling) -> Any:
    """See training.networks.build."""
    stack = [keras.Input((48, 48, 1)), pixel_scaling(scaling)]
    for number, filters in enumerate(CONV_FILTERS, start=1):
        # float32 also under a mixed-precision policy: summed in bfloat16 over 2,116 places, the gradient of the first
        # bias is two thirds noise.
        dtype = "float32" if number == 1 else None
        stack += [
            layers.Conv2D(filters, 3, activation="relu", dtype=dtype, name=f"conv{number}"),
            layers.MaxPooling2D(2, name=f"pool{number}"),
            layers.Dropout(CONV_DROPOUT, name=f"conv{number}_dropout"),
        ]
    stack.append(layers.Flatten(name="flatten"))
    for number, (units, dropout) in enumerate(DENSE_UNITS_AND_DROPOUT, start=1):
        stack += [
            layers.Dense(units, activation="relu", name=f"dense{number}"),
            layers.Dropout(dropout, name=f"dense{number}_dropout"),
        ]
    # float32 also under a mixed-precision policy: probabilities must sum to 1.
    stack.append(layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name="emotions"))
    return keras.Sequential(stack, name="paper")
