"""The fused batch normalization against Keras's own."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from training import networks
from training.data import normalization


def network(policy: str) -> Any:
    """A convolution with normalization and a classifier, whose weights are always the same."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    try:
        faces = keras.Input((12, 12, 1))
        x = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(6, 3, name="convolution")(faces))
        x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
        return keras.Model(faces, layers.Dense(7, activation="softmax", dtype="float32")(x))
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(("policy", "tolerance"), [("float32", 1e-3), ("mixed_bfloat16", 0.1)])
def test_steps_of_training_leave_the_same_network(policy: str, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(3, 2, (32, 12, 12, 1)).astype(np.float32)
    labels = np.eye(7, dtype=np.float32)[rng.integers(0, 7, 32)]
    stock, fused = network(policy), network(policy)
    steps = normalization.rewrite(fused)
    assert sum(isinstance(layer, normalization.FusedNormalization) for layer in steps.layers) == 1
    before = stock.get_weights()
    for model in (stock, steps):
        model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", jit_compile=False)
        for _ in range(2):
            model.train_on_batch(images, labels)
    changes = [after - first for after, first in zip(stock.get_weights(), before, strict=True)]
    assert np.abs(changes[0]).max() > 1e-3
    for value, first, change in zip(fused.get_weights(), before, changes, strict=True):
        np.testing.assert_allclose(value - first, change, atol=tolerance * np.abs(changes[0]).max())
    np.testing.assert_allclose(steps.predict_on_batch(images), stock.predict_on_batch(images), atol=1e-3)


def test_variables_are_those_of_the_network_itself() -> None:
    model = networks.build("residual")
    steps = normalization.rewrite(model)
    assert [id(v) for v in steps.trainable_variables] == [id(v) for v in model.trainable_variables]


def test_network_without_normalization_stays_as_it_is() -> None:
    model = networks.build("paper")
    assert normalization.rewrite(model) is model
