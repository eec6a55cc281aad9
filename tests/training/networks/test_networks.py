"""The networks that can be trained, by name."""

from typing import get_args

import keras
import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Scaling
from training import networks
from training.errors import TrainingError

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


@pytest.mark.parametrize("scaling", get_args(Scaling))
def test_first_layer_brings_pixels_to_the_range_that_its_scaling_names(scaling: Scaling) -> None:
    scale = networks.build("paper", scaling).layers[0]
    low, high = scaling.split("..")
    np.testing.assert_allclose(scale(np.array([0.0, 255.0])), [float(low), float(high)], atol=1e-6)


@pytest.mark.parametrize("name", networks.NAMES)
def test_every_network_has_a_recipe_and_gives_probabilities(name: str) -> None:
    assert networks.recipe(name).epochs > 0
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype(np.float32)
    probabilities = np.asarray(networks.build(name).predict_on_batch(faces))
    assert probabilities.shape == (3, len(EMOTIONS))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
