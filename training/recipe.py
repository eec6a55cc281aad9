"""How a network is trained: everything that decides the outcome of a run, besides the data."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from emotion_timeline.faces.preprocessing import Denoise, Preprocessing, Scaling
from training.data.augmentation import augmentation
from training.errors import TrainingError

Optimizer = Literal["adam", "sgd"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["auto", "float32", "mixed_bfloat16"]
Taught = Literal["images", "views"]

_CROPPED = 0.8  # of the epochs, where a recipe crops


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a training run.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step.
        optimizer: adam, or sgd with Nesterov's momentum of 0.9.
        rate: learning rate, at its highest.
        schedule: constant, or half a cosine from rate to 0 over the whole run, after a warm-up of one epoch.
        weight_decay: part of each kernel that a step at learning rate 1 takes away (Loshchilov and Hutter, "Decoupled
            Weight Decay Regularization", ICLR 2019).
        average: 0, or the weight that the past has in a moving average over the steps, which is what is measured and
            exported.
        augmentation: a name in training.data.augmentation.AUGMENTATIONS.
        denoise, scaling: how faces are prepared, in training and in serving; see Preprocessing.
        mixup: 0, or the parameter of the beta distribution by whose numbers images of a batch, and their labels, are
            blended in pairs (Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018).
        label_smoothing: 0-1, part of each label that is spread over all emotions.
        votes: 0, or the weight of the loss of a second head, which learns the shares of FER+'s votes. The labels of
            FER2013 still rule the first head; what both look at is learnt from both.
        taught: 0-1, part of the targets of both heads that comes from the answers of the teachers, where there are any.
        taught_on: what the teachers answer for: images, once for all of them; or views, for each image anew whenever it
            is shown, as it was changed, before a part of it is cut out. See training.learning.teaching.
        crop: pixels a side of the part of each image, at a random place, that is trained on until the last fifth of
            the epochs, which see whole images (48). Cheaper, and a face is rarely framed the same way twice.
        recall: 0-1, part of each emotion's validation images that should be recognised. Where one is found less often,
            its logit is raised when the network is exported; see training.figures.calibration.
        seed: of weights, order, augmentation and dropout.
        precision: mixed_bfloat16 multiplies in bfloat16 and keeps the weights in float32; auto takes it where the
            machine has instructions for it.
        images: at most so many images of each split, evenly spread; 0 for all. To try things out.
    """

    epochs: int = 100
    batch_size: int = 128
    optimizer: Optimizer = "adam"
    rate: float = 1e-3
    schedule: Schedule = "constant"
    weight_decay: float = 0.0
    average: float = 0.0
    augmentation: str = "paper"
    denoise: Denoise = "none"
    scaling: Scaling = "0..1"
    mixup: float = 0.0
    label_smoothing: float = 0.0
    votes: float = 0.0
    taught: float = 0.0
    taught_on: Taught = "images"
    crop: int = 48
    recall: float = 0.0
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
        for name in ("label_smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                problems.append(f"{name} must be from 0 to below 1, found {getattr(self, name)}")
        for name in ("taught", "recall"):
            if not 0 <= getattr(self, name) <= 1:
                problems.append(f"{name} must be from 0 to 1, found {getattr(self, name)}")
        if not 32 <= self.crop <= 48:
            problems.append(f"crop must be from 32 to 48 pixels, found {self.crop}")
        for name in ("weight_decay", "mixup", "votes"):
            if not getattr(self, name) >= 0:
                problems.append(f"{name} must be 0 or more, found {getattr(self, name)}")
        choices = {"optimizer": Optimizer, "schedule": Schedule, "precision": Precision, "taught_on": Taught}
        for name, allowed in ((name, get_args(choice)) for name, choice in choices.items()):
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

    def crop_at(self, epoch: int) -> int:
        """Pixels a side of what is shown of each image in an epoch, from 0."""
        return self.crop if epoch < _CROPPED * self.epochs else 48

    def preprocessing(self) -> Preprocessing:
        """How faces are prepared; stored with the network."""
        return Preprocessing(denoise=self.denoise, scaling=self.scaling)

    def to_metadata(self) -> dict[str, Any]:
        """The fields as JSON-able values."""
        return asdict(self)
