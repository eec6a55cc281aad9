"""Folded batch normalizations against the layers themselves."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from emotion_timeline.faces.folding import fold
from training import networks

pytestmark = pytest.mark.tensorflow


def trained(model: Any, rng: np.random.Generator) -> Any:
    """The network with statistics, factors and offsets as after training."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, value.shape) for value in layer.get_weights()])
    return model


def normalizations(model: Any) -> int:
    return sum(isinstance(layer, layers.BatchNormalization) for layer in model.layers)


@pytest.mark.parametrize("name", ["efficientnet", "residual"])
def test_folded_network_gives_the_same_answers_of_both_heads(name: str) -> None:
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    model = trained(networks.build(name, ferplus=True), rng)
    faces = rng.integers(0, 256, (5, 48, 48, 1)).astype(np.float32)
    expected = model.predict_on_batch(faces)
    folded = fold(model)
    assert normalizations(model) > 10
    assert normalizations(folded) == 0
    for head, answer in zip(folded.predict_on_batch(faces), expected, strict=True):
        # Logits reach 50 in a network of random weights: sums in another order differ in the fifth digit of an answer.
        np.testing.assert_allclose(head, answer, atol=1e-4)
    np.testing.assert_array_equal(model.predict_on_batch(faces)[0], expected[0])  # which stays as it is


def test_only_what_can_be_folded_is() -> None:
    rng = np.random.default_rng(0)
    images = keras.Input((12, 12, 1))
    x = layers.Conv2D(4, 3, activation="relu")(images)  # not linear: a normalization after it can't be in its kernel
    x = layers.BatchNormalization()(x)
    shared = layers.Conv2D(4, 3, padding="same")(x)  # its output is also used without the normalization
    x = layers.Add()([layers.BatchNormalization()(shared), shared])
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = layers.BatchNormalization(scale=False, center=False)(layers.Conv2D(4, 3, strides=2)(x))
    model = trained(keras.Model(images, x), rng)
    folded = fold(model)
    assert normalizations(folded) == 2
    faces = rng.normal(size=(3, 12, 12, 1)).astype(np.float32)
    np.testing.assert_allclose(folded.predict_on_batch(faces), model.predict_on_batch(faces), atol=1e-4)


def test_network_without_normalization_stays_as_it_is() -> None:
    model = networks.build("paper")
    assert fold(model) is model
