"""Networks that teach the next one: what it learns is partly their answers, and it may begin with one's weights.

T. Furlanello et al., "Born-Again Neural Networks", ICML 2018: a network that learns from one of its own kind surpasses
it. FER2013's labels are noisy, and what other networks say of an image tells how far to believe its label.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import networks
from training.errors import TrainingError
from worker.classification import Classifier, read_metadata, read_network
from worker.emotions import EMOTIONS

_BATCH_SIZE = 256


def taught(
    targets: NDArray[np.float32], images: NDArray[np.uint8], teachers: Sequence[Path], share: float
) -> NDArray[np.float32]:
    """Targets of training with a share of what teachers answer.

    Args:
        targets: float32 (n, 7 or 14): labels and, where a second head learns them, shares of FER+'s votes. Images
            without votes stay without.
        images: uint8 (n, 48, 48, 1), the training images.
        teachers: folders of exported networks. Each answers for the image and its mirror image; all count the same.
        share: 0-1, of the teachers' answers in the new targets.

    Returns:
        float32 (n, 7 or 14), new.

    Raises:
        TrainingError: the targets are for two heads, and a teacher has one.
        ModelError: a teacher's files can't be used.
    """
    heads = targets.shape[1] // len(EMOTIONS)
    total = np.zeros(targets.shape, np.float32)
    for folder in teachers:
        classifier = Classifier(folder, _BATCH_SIZE)
        answers = classifier.answers(images)[:heads] + classifier.answers(images[:, :, ::-1])[:heads]
        if len(answers) < heads:
            raise TrainingError(
                f"{classifier.version} in {folder} should have learnt FER+'s votes to teach them, but it has one head "
                "only: leave it out, or train with --votes 0."
            )
        total += np.concatenate(list(answers), axis=1) / (2 * len(teachers))
    known = targets.reshape(-1, heads, len(EMOTIONS)).any(axis=-1).repeat(len(EMOTIONS), axis=1)
    return np.where(known, (1 - share) * targets + share * total, targets).astype(np.float32)


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
