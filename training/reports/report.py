"""The report of a trained network, in its folder: figures in metadata.json, three plots, and the model card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.classification import ARCHITECTURE, METADATA
from training.data.datasets import Dataset
from training.data.ferplus import majority_labels
from training.evaluate import evaluate
from training.figures import speed
from training.figures.calibration import built_in
from training.figures.flops import flops
from training.reports import plots
from training.reports.card import CARD, card
from training.reports.export import write_metadata

CURVES, CONFUSION, RELIABILITY = "curves.png", "confusion.png", "reliability.png"
FERPLUS_CONFUSION, FERPLUS_RELIABILITY = "confusion-ferplus.png", "reliability-ferplus.png"


def write_report(
    directory: Path,
    split: str,
    validation: Dataset,
    training: Dataset,
    votes: NDArray[np.int64] | None = None,
    known_speed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measures an exported network on the validation split as it is served, and writes figures, plots and card.

    Args:
        directory: models/<name>, exported.
        split: name of the validation split.
        validation: its images.
        training: the whole training split, to tell which images of the validation split are also there.
        votes: int64 (n, 10), FER+'s votes for the validation split.
        known_speed: what an earlier report measured of the same architecture; None to measure it.

    Returns:
        metadata.json's content.
    """
    metadata: dict[str, Any] = json.loads((directory / METADATA).read_text(encoding="utf-8"))
    figures, answers = evaluate(directory, validation, training, votes, split)
    architecture = (directory / ARCHITECTURE).read_text(encoding="utf-8")
    metadata["validation"] = {
        "split": split,
        **figures,
        "flops": flops(keras.models.model_from_json(architecture)),
        "speed": speed.measure(directory) if known_speed is None else dict(known_speed),
    }
    trained = metadata["trained"]
    plots.plot_curves(trained["epochs"], trained["best_epoch"], directory / CURVES)
    plots.plot_confusion(np.array(figures["confusion_matrix"]), directory / CONFUSION)
    first, second = built_in(trained)
    plots.plot_reliability(answers[0], validation.labels, first, directory / RELIABILITY)
    if votes is not None and "ferplus" in figures:
        majority = majority_labels(votes)
        decided = majority >= 0
        plots.plot_confusion(np.array(figures["ferplus"]["confusion_matrix"]), directory / FERPLUS_CONFUSION)
        plots.plot_reliability(answers[1][decided], majority[decided], second, directory / FERPLUS_RELIABILITY)
    write_metadata(directory, metadata)
    (directory / CARD).write_text(card(metadata, directory.name), encoding="utf-8")
    return metadata
