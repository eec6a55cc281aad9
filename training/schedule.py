"""How long a network is trained at which width, and with which learning rate."""

import math
from dataclasses import dataclass
from itertools import pairwise

from training.errors import TrainingError

WARM_UP_STEPS = 100  # at the start of each stage: Adam's moments start from nothing


@dataclass(frozen=True, slots=True)
class Stage:
    """Some epochs at one width (see training.growth)."""

    width: float
    epochs: int


def parse_stages(text: str) -> tuple[Stage, ...]:
    """Reads "0.5:6,1:2": six epochs at half the width, then two at the full one.

    Raises:
        TrainingError: not of that form, not doubling from stage to stage, or not ending at width 1.
    """
    try:
        pairs = [part.split(":") for part in text.split(",")]
        stages = tuple(Stage(float(width), int(epochs)) for width, epochs in pairs)
    except ValueError as exc:
        raise TrainingError(f"Training stages look like 0.5:6,1:2 (width:epochs), not {text!r}.") from exc
    widths = [stage.width for stage in stages]
    doubling = all(2 * a == b for a, b in pairwise(widths))
    if not doubling or widths[-1] != 1 or min(stage.epochs for stage in stages) < 1:
        raise TrainingError(f"Each training stage doubles the width and the last one has width 1, unlike {text!r}.")
    return stages


def learning_rate(peak: float, progress: float, step_in_stage: int) -> float:
    """Half a cosine over the whole run, with a short linear warm-up in each stage.

    Args:
        peak: the highest rate.
        progress: 0-1, done part of all epochs.
        step_in_stage: 0-based number of the batch within the stage.
    """
    warm_up = min(1.0, (step_in_stage + 1) / WARM_UP_STEPS)
    return peak * warm_up * (1 + math.cos(math.pi * progress)) / 2
