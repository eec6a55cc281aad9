"""Networks that teach the next one: what it learns is partly their answers, and it may begin with one's weights.

T. Furlanello et al., "Born-Again Neural Networks", ICML 2018: a network that learns from one of its own kind surpasses
it. FER2013's labels are noisy, and what other networks say of an image tells how far to believe its label.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.classification import Classifier, read_metadata, read_network
from training import networks
from training.data.augmentation import Image
from training.errors import TrainingError

Targets = NDArray[np.float32]

_BATCH_SIZE = 128


class Teachers:
    """Networks whose answers become a share of the targets of another one's training; loaded when first asked."""

    def __init__(self, folders: Sequence[Path], share: float) -> None:
        """Asks nothing yet.

        Args:
            folders: of exported networks, 1 or more.
            share: 0-1, of the teachers' answers in the new targets.
        """
        self._folders, self._share = folders, share

    @cached_property
    def _classifiers(self) -> list[Classifier]:
        return [Classifier(folder, _BATCH_SIZE) for folder in self._folders]

    def taught_once(self, targets: Targets, images: Image) -> Targets:
        """What all teachers together say of the training images; each answers for an image and its mirror image.

        Args:
            targets: float32 (n, 7 or 14): labels and, where a second head learns them, shares of FER+'s votes. Images
                without votes stay without.
            images: uint8 (n, 48, 48, 1).

        Returns:
            float32 (n, 7 or 14), new.

        Raises:
            TrainingError: the targets are for two heads, and a teacher has one.
            ModelError: a teacher's files can't be used.
        """
        seen = (images, images[:, :, ::-1])
        answers = [_answers(teacher, part, targets) for teacher in self._classifiers for part in seen]
        return self._mixed(targets, np.mean(answers, axis=0))

    def taught_in_turn(self, targets: Targets, views: Image, turn: int) -> Targets:
        """What one of the teachers says of training images as they were changed.

        Asked anew for each view, a teacher doesn't only repeat the label of an image that it knows by heart (L. Beyer
        et al., "Knowledge distillation: A good teacher is patient and consistent", CVPR 2022). Over many turns, the
        targets are those of all teachers.

        Args:
            targets, views: as for taught_once; the images as they were changed.
            turn: chooses the teacher.

        Returns:
            float32 (n, 7 or 14), new.

        Raises:
            TrainingError, ModelError: as for taught_once.
        """
        teacher = self._classifiers[turn % len(self._classifiers)]
        return self._mixed(targets, _answers(teacher, views, targets))

    def _mixed(self, targets: Targets, answers: Targets) -> Targets:
        heads = targets.shape[1] // len(EMOTIONS)
        known = targets.reshape(-1, heads, len(EMOTIONS)).any(axis=-1).repeat(len(EMOTIONS), axis=1)
        mixed = (1 - self._share) * targets + self._share * answers
        return np.where(known, mixed, targets).astype(np.float32)


def _answers(teacher: Classifier, images: Image, targets: Targets) -> Targets:
    heads = targets.shape[1] // len(EMOTIONS)
    answers = teacher.answers(images)[:heads]
    if len(answers) < heads:
        raise TrainingError(
            f"{teacher.version} should have learnt FER+'s votes to teach them, but it has one head only: leave it out, "
            "or train with --votes 0."
        )
    return np.concatenate(list(answers), axis=1)


def begin_with(model: Any, folder: Path) -> None:
    """Gives an untrained network the weights of an exported one.

    Raises:
        TrainingError: that one is of another shape.
        ModelError: its files can't be used.
    """
    weights, _ = read_network(folder)
    expected = [tuple(weight.shape) for weight in model.weights]
    if [weight.shape for weight in weights] != expected:
        raise TrainingError(
            f"{read_metadata(folder).version} in {folder} is another network than the one to train, which can't begin "
            "with its weights: name a network of the same kind, with as many heads."
        )
    model.set_weights(weights)


def lineage(
    network: str, options: Mapping[str, Any], teachers: Sequence[Path], begins_with: Path | None = None
) -> list[str] | None:
    """Names of the networks by which training.generations makes this one, it the last; None where it can't.

    Args:
        network, options, teachers, begins_with: as for training.train.train.
    """
    if not teachers:
        return None if options or begins_with else [network]
    known = {folder: read_metadata(folder).trained.get("generations") or [] for folder in teachers}
    before: list[str] = max(known.values(), key=len)
    latest = {name: before[:number] for number, name in enumerate(before, start=1)}
    try:
        expected = networks.taught_options(network, before)
    except TrainingError:  # which would also stop that command
        return None
    if sorted(known.values()) != sorted(latest.values()) or dict(options) != expected:
        return None
    own = next((folder for folder, generations in known.items() if generations[-1] == network), None)
    return [*before, network] if begins_with == own else None
