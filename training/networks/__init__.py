"""Networks by name: one module each, with a function build(width=1.0, normalized=False)."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from training.errors import TrainingError

NAMES = tuple(sorted(module.name for module in iter_modules(__path__)))


def build(name: str, width: float = 1.0, normalized: bool = False) -> Any:
    """An untrained network.

    Args:
        name: one of NAMES.
        width: factor on the number of channels and units of every hidden layer.
        normalized: with batch normalization, for training; training.folding.fold removes it.

    Raises:
        TrainingError: there is no network of that name.
    """
    if name not in NAMES:
        raise TrainingError(f"There is no network {name!r}; choose one of: {', '.join(NAMES)}.")
    return import_module(f"{__name__}.{name}").build(width, normalized)
