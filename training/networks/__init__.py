"""Networks by name: one module each, with a function build() and the RECIPE by which it is trained."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from training.errors import TrainingError
from training.recipe import Recipe

NAMES = tuple(sorted(module.name for module in iter_modules(__path__)))


def build(name: str) -> Any:
    """An untrained network.

    Args:
        name: one of NAMES.

    Raises:
        TrainingError: there is no network of that name.
    """
    return _module(name).build()


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
