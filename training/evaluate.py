"""Measures an exported network: `python -m training.evaluate --model models/paper --data PATH --split PublicTest`.

Through worker.classification, so what is measured is what is served.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.calibration import scaled
from training.datasets import SPLITS, Dataset, load
from training.metrics import expected_calibration_error, metrics
from worker.classification import Classifier, read_metadata
from worker.errors import TimelineError
from worker.preprocessing import Preprocessing

BATCH_SIZE = 128


def evaluate(
    model_dir: Path, data: Dataset, training: Dataset | None = None
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """What the network in a folder reaches as it is served.

    Args:
        model_dir: models/<name>.
        data: labelled faces.
        training: the split Training; the figures then tell how the network does on images that are not also there.

    Returns:
        The figures of training.metrics.metrics with ece_before_scaling (without the temperature built in; None where
        none is) and, given training, leaked_images and accuracy_without_leaked; and the probabilities, float32 (n, 7).
    """
    probabilities = Classifier(model_dir, BATCH_SIZE).probabilities(data.images)
    figures = metrics(probabilities, data.labels)
    temperature = read_metadata(model_dir).trained.get("temperature")
    if temperature:
        raw = scaled(probabilities, 1 / temperature)
        figures["ece_before_scaling"] = expected_calibration_error(raw, data.labels)
    if training is not None:
        leaked = data.copies_of(training)
        right = probabilities.argmax(axis=1) == data.labels
        figures["leaked_images"] = int(leaked.sum())
        figures["accuracy_without_leaked"] = float(right[~leaked].mean())
    return figures, probabilities


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the model or the data can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.evaluate", description="Measure an exported network on FER2013.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the network, such as models/paper")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: Kaggle's CSV or folder, or a zip of either")
    parser.add_argument("--split", choices=SPLITS, default="PublicTest")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    options = parser.parse_args(arguments)
    try:
        preprocessing = Preprocessing.from_metadata(read_metadata(options.model).preprocessing)
        data = load(options.data, options.split, preprocessing)
        training = load(options.data, "Training", preprocessing) if options.split != "Training" else None
        figures, _ = evaluate(options.model, data, training)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
