"""Networks by name: one module each, with a function build(scaling) and the RECIPE by which it is trained.

The first layer of each is pixel_scaling(scaling), so that no caller can get the range of the pixels wrong.
"""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import keras
from keras import layers

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Scaling
from training.errors import TrainingError
from training.parts.heads import FERPLUS_HEAD
from training.recipe import Recipe

_TAUGHT = 0.3  # share of the teachers' answers in the targets of a network that others of another kind teach
NAMES = tuple(sorted(module.name for module in iter_modules(__path__)))


def build(name: str, scaling: Scaling = "0..1", ferplus: bool = False, side: int | None = 48) -> Any:
    """An untrained network.

    Args:
        name: one of NAMES.
        scaling: the range to which the first layer brings pixels.
        ferplus: with a second head, which looks at the same features and answers as FER+'s raters would.
        side: pixels; None for images of any size, in training.

    Returns:
        A Keras network: grey images (n, side, side, 1), 0-255 -> probabilities float32 (n, 7) in the order of EMOTIONS,
        or a list of two such answers.

    Raises:
        TrainingError: there is no network of that name, or it takes images of 48 pixels only.
    """
    module = _module(name)
    if side != 48 and not hasattr(module, "ANY_SIDE"):
        raise TrainingError(f"The network {name} takes images of 48 pixels a side only: leave --crop out.")
    network = module.build(scaling) if side == 48 else module.build(scaling, side)
    if not ferplus:
        return network
    # float32 also under a mixed-precision policy: probabilities must sum to 1.
    second = layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name=FERPLUS_HEAD)
    return keras.Model(network.inputs, [network.outputs[0], second(network.layers[-1].input)], name=name)


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


def begin(name: str, model: Any) -> None:
    """Gives an untrained network the weights that networks of its name begin with; most begin with random ones.

    Args:
        name: of the network.
        model: build(name, ...).

    Raises:
        TrainingError: there is no network of that name, or its weights are not at hand.
    """
    module = _module(name)
    if hasattr(module, "begin"):
        module.begin(model)


def pretrained(name: str) -> str | None:
    """What else the network of that name has learnt from before training begins; None for nothing.

    Raises:
        TrainingError: there is no network of that name.
    """
    source: str | None = getattr(_module(name), "PRETRAINED", None)
    return source


def taught_options(name: str, earlier: Sequence[str]) -> dict[str, Any]:
    """How the recipe of a network that others teach differs from recipe(name); see training.generations.

    Args:
        name: of the network.
        earlier: names of the generations before it. It begins with the weights of the last one of its own kind.

    Returns:
        Fields of Recipe; none where there is nobody to teach.

    Raises:
        TrainingError: there is no network of that name, or no recipe for so late a generation of its kind.
    """
    module = _module(name)
    if not earlier:
        return {}
    number = list(earlier).count(name)
    if not number:
        return {"taught": _TAUGHT}
    following: Sequence[dict[str, Any]] = getattr(module, "NEXT_GENERATIONS", ())
    if number > len(following):
        raise TrainingError(f"The network {name} has no recipe for generation {number + 1} of its kind.")
    return dict(following[number - 1])


def _module(name: str) -> Any:
    if name not in NAMES:
        raise TrainingError(f"There is no network {name!r}; choose one of: {', '.join(NAMES)}.")
    return import_module(f"{__name__}.{name}")
