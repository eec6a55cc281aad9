"""The report of a trained network, in its folder: figures in metadata.json, three plots, and the model card."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.classification import ARCHITECTURE, METADATA
from training import plots, speed
from training.card import CARD, card
from training.datasets import Dataset
from training.evaluate import evaluate
from training.export import write_metadata
from training.flops import flops

CURVES, CONFUSION, RELIABILITY = "curves.png", "confusion.png", "reliability.png"


def write_report(
    directory: Path, split: str, validation: Dataset, training: Dataset, votes: NDArray[np.int64] | None = None
) -> dict[str, Any]:
    """Measures an exported network on the validation split as it is served, and writes figures, plots and card.

    Args:
        directory: models/<name>, exported.
        split: name of the validation split.
        validation: its images.
        training: the whole training split, to tell which images of the validation split are also there.
        votes: int64 (n, 10), FER+'s votes for the validation split.

    Returns:
        metadata.json's content.
    """
    metadata: dict[str, Any] = json.loads((directory / METADATA).read_text(encoding="utf-8"))
    figures, probabilities = evaluate(directory, validation, training, votes)
    architecture = (directory / ARCHITECTURE).read_text(encoding="utf-8")
    metadata["validation"] = {
        "split": split,
        **figures,
        "flops": flops(keras.models.model_from_json(architecture)),
        "speed": speed.measure(directory),
    }
    trained = metadata["trained"]
    plots.plot_curves(trained["epochs"], trained["best_epoch"], directory / CURVES)
    plots.plot_confusion(np.array(figures["confusion_matrix"]), directory / CONFUSION)
    plots.plot_reliability(probabilities, validation.labels, trained["temperature"], directory / RELIABILITY)
    write_metadata(directory, metadata)
    (directory / CARD).write_text(card(metadata, directory.name), encoding="utf-8")
    return metadata
