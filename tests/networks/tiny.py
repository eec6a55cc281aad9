"""About a thousand parameters, with all that training may meet: batch normalization, dropout, images of any size.

It sees how bright each of twelve rows is, which is enough for the bars of the training images in tests/conftest.py.
"""

from typing import Any

import keras
from keras import layers

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Scaling
from training.networks import pixel_scaling
from training.parts.blocks import convolution
from training.parts.heads import HEAD
from training.recipe import Recipe

ANY_SIDE = True
ROWS = 12
RECIPE = Recipe(
    epochs=4,
    batch_size=16,
    optimizer="sgd",
    rate=0.05,
    schedule="cosine",
    weight_decay=5e-4,
    average=0.9,
    augmentation="none",
    mixup=0.2,
    label_smoothing=0.1,
    votes=1.0,
    crop=40,
)
_SECOND = {"epochs": 3, "mixup": 0.0, "taught": 0.3}
NEXT_GENERATIONS = (_SECOND, _SECOND | {"taught": 0.7})


def build(scaling: Scaling, side: int | None = 48) -> Any:
    """See training.networks.build."""
    faces = keras.Input((side, side, 1), name="faces")
    x = convolution(pixel_scaling(scaling)(faces), 4, "stem_a", stride=2)
    x = convolution(x, 4, "stem_b", stride=2)
    x = layers.Resizing(ROWS, ROWS, name="rows")(x)
    x = layers.Flatten(name="flat")(layers.AveragePooling2D((1, ROWS), name="pool")(x))
    x = layers.Dense(16, activation="relu", name="hidden")(x)
    x = layers.Dropout(0.1, name="dropout")(x)
    answers = layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name=HEAD)(x)
    return keras.Model(faces, answers, name="tiny")
