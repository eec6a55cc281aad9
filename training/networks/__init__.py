"""Networks by name: one module each, with a function build(scaling) and the RECIPE by which it is trained.

The first layer of each is pixel_scaling(scaling), so that no caller can get the range of the pixels wrong.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from keras import layers

from training.errors import TrainingError
from training.recipe import Recipe
from worker.preprocessing import Scaling

NAMES = tuple(sorted(module.name for module in iter_modules(__path__)))


def build(name: str, scaling: Scaling = "0..1") -> Any:
    """An untrained network.

    Args:
        name: one of NAMES.
        scaling: the range to which the first layer brings pixels.

    Returns:
        A Keras network: grey images (n, 48, 48, 1), 0-255 -> probabilities float32 (n, 7) in the order of EMOTIONS.

    Raises:
        TrainingError: there is no network of that name.
    """
    return _module(name).build(scaling)


def pixel_scaling(scaling: Scaling) -> Any:
    """The layer that brings pixels from 0-255 to the range that a network wants."""
    factor, offset = {"0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0)}[scaling]
    return layers.Rescaling(factor, offset, name="scale")


def recipe(name: str) -> Recipe:
    """How the network of that name is trained, unless asked otherwise.

    Raises:
        TrainingError: there is no network of that name.
    """
    found: Recipe = _module(name).RECIPE
    return found


def _module(name: str) -> Any:
    if name not in NAMES:
        raise TrainingError(f"There is no network {name!r}; choose one of: {', '.join(NAMES)}.")
    return import_module(f"{__name__}.{name}")
