"""How a network is trained: everything that decides the outcome of a run, besides the data."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from training.augmentation import augmentation
from training.errors import TrainingError
from worker.preprocessing import Denoise, Preprocessing, Scaling

Schedule = Literal["constant", "cosine"]
Precision = Literal["auto", "float32", "mixed_bfloat16"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a training run.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step.
        rate: Adam's learning rate, at its highest.
        schedule: constant, or half a cosine from rate to 0 over the whole run, after a warm-up of one epoch.
        augmentation: a name in training.augmentation.AUGMENTATIONS.
        denoise, scaling: how faces are prepared, in training and in serving; see worker.preprocessing.Preprocessing.
        label_smoothing: 0-1, part of each label that is spread over all emotions.
        seed: of weights, order, augmentation and dropout.
        precision: mixed_bfloat16 multiplies in bfloat16 and keeps the weights in float32; auto takes it where the
            machine has instructions for it.
        images: at most so many images of each split, evenly spread; 0 for all. To try things out.
    """

    epochs: int = 100
    batch_size: int = 128
    rate: float = 1e-3
    schedule: Schedule = "constant"
    augmentation: str = "paper"
    denoise: Denoise = "none"
    scaling: Scaling = "0..1"
    label_smoothing: float = 0.0
    seed: int = 0
    precision: Precision = "auto"
    images: int = 0

    def __post_init__(self) -> None:
        """Raises TrainingError or ModelError where a value is outside what training can do."""
        augmentation(self.augmentation)
        self.preprocessing()
        problems = []
        if min(self.epochs, self.batch_size) < 1:
            problems.append(f"epochs and batch size must be 1 or more, found {self.epochs} and {self.batch_size}")
        if not self.rate > 0:
            problems.append(f"the learning rate must be above 0, found {self.rate}")
        if not 0 <= self.label_smoothing < 1:
            problems.append(f"label smoothing must be from 0 to below 1, found {self.label_smoothing}")
        for name, allowed in (("schedule", get_args(Schedule)), ("precision", get_args(Precision))):
            if getattr(self, name) not in allowed:
                problems.append(f"{name} must be one of {', '.join(allowed)}, found {getattr(self, name)!r}")
        if problems:
            raise TrainingError(f"The network can't be trained like that: {'; '.join(problems)}.")

    def rate_at(self, epoch: float) -> float:
        """The learning rate.

        Args:
            epoch: number of epochs done, with the part of the running one.
        """
        if self.schedule == "constant":
            return self.rate
        return self.rate * min(1.0, epoch + 0.01) * (1 + math.cos(math.pi * epoch / self.epochs)) / 2

    def preprocessing(self) -> Preprocessing:
        """How faces are prepared; stored with the network."""
        return Preprocessing(denoise=self.denoise, scaling=self.scaling)

    def to_metadata(self) -> dict[str, Any]:
        """The fields as JSON-able values."""
        return asdict(self)
