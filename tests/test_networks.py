"""The paper's network, and the two ways in which training leaves and returns to it."""

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training import networks
from training.errors import TrainingError
from training.folding import fold
from training.growth import widen

# Fig. 6 of the paper: layer, output shape without the batch, parameters.
PAPER_FIGURE_6 = [
    ("Conv2D", (46, 46, 128), 1280),
    ("MaxPooling2D", (23, 23, 128), 0),
    ("Dropout", (23, 23, 128), 0),
    ("Conv2D", (21, 21, 256), 295168),
    ("MaxPooling2D", (10, 10, 256), 0),
    ("Dropout", (10, 10, 256), 0),
    ("Conv2D", (8, 8, 512), 1180160),
    ("MaxPooling2D", (4, 4, 512), 0),
    ("Dropout", (4, 4, 512), 0),
    ("Conv2D", (2, 2, 512), 2359808),
    ("MaxPooling2D", (1, 1, 512), 0),
    ("Dropout", (1, 1, 512), 0),
    ("Flatten", (512,), 0),
    ("Dense", (512,), 262656),
    ("Dropout", (512,), 0),
    ("Dense", (256,), 131328),
    ("Dropout", (256,), 0),
    ("Dense", (7,), 1799),
]


@pytest.fixture
def faces() -> NDArray[np.float32]:
    return np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1)).astype(np.float32)


def probabilities(model: keras.Model, images: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(model.predict_on_batch(images))


def with_random_biases(model: keras.Model) -> keras.Model:
    rng = np.random.default_rng(1)
    values = model.get_weights()
    model.set_weights([v + rng.uniform(0, 0.3, v.shape) if v.ndim == 1 else v for v in values])
    return model


def test_paper_network_has_the_papers_parameters() -> None:
    model = networks.build("paper")
    assert model.count_params() == 4_232_199
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 4_232_199


def test_paper_network_has_the_layers_of_figure_6_after_the_pixel_scaling() -> None:
    scaling, *layers = networks.build("paper").layers
    assert type(scaling).__name__ == "Rescaling"
    assert [(type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in layers] == PAPER_FIGURE_6
    for layer in layers:
        if isinstance(layer, keras.layers.Conv2D):
            assert (layer.kernel_size, layer.padding, layer.activation) == ((3, 3), "valid", keras.activations.relu)
    assert layers[-1].activation is keras.activations.softmax


def test_unknown_network_is_refused_with_the_known_names() -> None:
    with pytest.raises(TrainingError, match=r"no network 'papyrus'; choose one of: .*paper"):
        networks.build("papyrus")


def test_folding_batch_normalization_away_keeps_the_function(faces: NDArray[np.float32]) -> None:
    trained, plain = networks.build("paper", 0.25, normalized=True), networks.build("paper", 0.25)
    with_random_biases(trained)
    fold(trained, plain)
    np.testing.assert_allclose(probabilities(plain, faces), probabilities(trained, faces), atol=1e-5)


@pytest.mark.parametrize("normalized", [False, True])
def test_widening_keeps_the_function_but_makes_twins_differ(faces: NDArray[np.float32], normalized: bool) -> None:
    narrow, wide = (networks.build("paper", width, normalized) for width in (0.125, 0.25))
    with_random_biases(narrow)
    widen(narrow, wide)
    np.testing.assert_allclose(probabilities(wide, faces), probabilities(narrow, faces), atol=1e-5)
    outgoing = np.asarray(wide.get_layer("dense1").kernel)
    assert np.abs(outgoing[: len(outgoing) // 2] - outgoing[len(outgoing) // 2 :]).max() > 1e-3
