"""Measures an exported network: `python -m training.evaluate --model models/paper --data PATH --split PublicTest`.

Through emotion_timeline.faces.classification, so what is measured is what is served.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from emotion_timeline.errors import TimelineError
from emotion_timeline.faces.classification import Classifier, ModelMetadata, read_metadata
from emotion_timeline.faces.preprocessing import Preprocessing
from training.calibration import scaled
from training.datasets import PAPER_SPLITS, SPLITS, Dataset, load, splits
from training.errors import TrainingError
from training.ferplus import load_votes, majority_labels, votes_for
from training.metrics import Labels, Probabilities, expected_calibration_error, metrics

BATCH_SIZE = 128


def evaluate(
    model_dir: Path, data: Dataset, training: Dataset | None = None, votes: NDArray[Any] | None = None
) -> tuple[dict[str, Any], Probabilities]:
    """What the network in a folder reaches as it is served.

    Args:
        model_dir: models/<name>.
        data: labelled faces.
        training: the whole training split, to tell how the network does on images that are not also there.
        votes: int64 (n, 10), FER+'s votes for data, to tell how the network agrees with their majority.

    Returns:
        The figures of training.metrics.metrics, with ece_before_scaling (without the temperature that is built in)
        where that is known, leaked_images and accuracy_without_leaked given training, ferplus_images and
        ferplus_accuracy given votes, with ferplus_head_accuracy where a second head learnt FER+; and the probabilities,
        float32 (n, 7).
    """
    answers = Classifier(model_dir, BATCH_SIZE).answers(data.images)
    probabilities = answers[0]
    figures = metrics(probabilities, data.labels)
    predictions = probabilities.argmax(axis=1)
    temperature = read_metadata(model_dir).trained.get("temperature")
    if temperature is not None:
        figures["ece_before_scaling"] = expected_calibration_error(scaled(probabilities, 1 / temperature), data.labels)
    if training is not None:
        leaked = data.copies_of(training)
        figures["leaked_images"] = int(leaked.sum())
        figures["accuracy_without_leaked"] = _accuracy(predictions[~leaked], data.labels[~leaked])
    if votes is not None:
        labels = majority_labels(votes)
        figures["ferplus_images"] = int((labels >= 0).sum())
        figures["ferplus_accuracy"] = _accuracy(predictions[labels >= 0], labels[labels >= 0])
        if len(answers) > 1:
            second = answers[1].argmax(axis=1)
            figures["ferplus_head_accuracy"] = _accuracy(second[labels >= 0], labels[labels >= 0])
    return figures, probabilities


def refuse_known_faces(metadata: ModelMetadata, split: str) -> None:
    """Refuses to measure a network on images that it may have been trained on.

    The paper's splits were drawn from all images of FER2013, so each has images of all the official ones.

    Raises:
        TrainingError: the network was trained on one kind of splits, and this is one of the other.
    """
    trained_on = metadata.trained.get("split", "Training")
    if (trained_on in PAPER_SPLITS) != (split in PAPER_SPLITS):
        raise TrainingError(
            f"{metadata.version} was trained on the split {trained_on}, which has images of {split}, too: what it "
            f"reaches there says nothing. Measure it on {'validation' if trained_on in PAPER_SPLITS else 'PublicTest'}."
        )


def _accuracy(predictions: Labels, labels: Labels) -> float | None:
    return float((predictions == labels).mean()) if len(labels) else None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the model or the data can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.evaluate", description="Measure an exported network on FER2013.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the network, such as models/paper")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: CSV or folder of images, or a zip of either")
    parser.add_argument("--split", choices=SPLITS, default="PublicTest")
    parser.add_argument("--ferplus", type=Path, help="FER+ votes, to tell the accuracy against them as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    options = parser.parse_args(arguments)
    try:
        metadata = read_metadata(options.model)
        refuse_known_faces(metadata, options.split)
        preprocessing = Preprocessing.from_metadata(metadata.preprocessing)
        data = load(options.data, options.split, preprocessing)
        trained_on = "train" if options.split in PAPER_SPLITS else "Training"
        known = options.split != trained_on and trained_on in splits(options.data)
        training = load(options.data, trained_on, preprocessing) if known else None
        votes = votes_for(data, load_votes(options.ferplus)) if options.ferplus else None
        figures, _ = evaluate(options.model, data, training, votes)
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
