"""Winograd's convolutions against the stock layers."""

import keras
import numpy as np
import pytest

from emotion_timeline.faces import winograd
from training import networks

pytestmark = pytest.mark.tensorflow


def test_winograd_rewrite_computes_what_the_stock_layers_compute() -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (6, 48, 48, 1)).astype(np.float32)
    model = networks.build("paper")
    model.set_weights([v + rng.uniform(0, 0.3, v.shape) if v.ndim == 1 else v for v in model.get_weights()])
    fast = winograd.rewrite(model, frozen=True)
    assert sum(isinstance(layer, winograd.WinogradConvPool) for layer in fast.layers) == 3
    np.testing.assert_allclose(fast.predict_on_batch(faces), model.predict_on_batch(faces), atol=1e-5)


@pytest.mark.parametrize("side", [6, 7, 9, 10, 23])
def test_winograd_layer_equals_convolution_and_pooling_at_any_size(side: int) -> None:
    images = np.random.default_rng(side).normal(size=(3, side, side, 4)).astype(np.float32)
    conv = keras.layers.Conv2D(5, 3, activation="relu", bias_initializer="he_normal")
    model = keras.Sequential([keras.Input(images.shape[1:]), conv, keras.layers.MaxPooling2D(2)])
    fast = winograd.rewrite(model)
    assert isinstance(fast.layers[0], winograd.WinogradConvPool)
    np.testing.assert_allclose(fast.predict_on_batch(images), model.predict_on_batch(images), atol=1e-4)


def test_winograd_rewrite_shares_the_variables_and_so_trains_the_network_itself() -> None:
    model = networks.build("paper")
    fast = winograd.rewrite(model)
    assert [id(v) for v in fast.trainable_variables] == [id(v) for v in model.trainable_variables]
