"""Measures an exported network: `python -m training.evaluate --model models/paper --data PATH --split PublicTest`.

Through faces.classification, so what is measured is what is served. On the split that temperature and offsets were
chosen on, those are taken out again, and each image is measured with what the other images would have chosen.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.errors import TimelineError
from emotion_timeline.faces.classification import Classifier, ModelMetadata, read_metadata
from emotion_timeline.faces.preprocessing import Preprocessing
from training.data.datasets import PAPER_SPLITS, SPLITS, Dataset, load, splits
from training.data.ferplus import distributions, load_votes, majority_labels, votes_for
from training.errors import TrainingError
from training.figures.agreement import agreement
from training.figures.calibration import built_in, cross_fitted, fit_labels, fit_shares, folds
from training.figures.metrics import Labels, expected_calibration_error, metrics

BATCH_SIZE = 128


Answers = NDArray[np.float32]


def evaluate(
    model_dir: Path,
    data: Dataset,
    training: Dataset | None = None,
    votes: NDArray[np.int64] | None = None,
    split: str | None = None,
) -> tuple[dict[str, Any], Answers]:
    """What the network in a folder reaches as it is served.

    Args:
        model_dir: models/<name>.
        data: labelled faces.
        training: the whole training split, to tell how the network does on images that are not also there.
        votes: int64 (n, 10), FER+'s votes for data, to tell how the network agrees with them.
        split: name of the split that data is; None where it is of no matter.

    Returns:
        The figures of training.figures.metrics.metrics, of the head for FER2013's labels, with ece_before_scaling
        (without the temperature and offsets that are built in) where that is known, leaked_images and accuracy,
        macro-F1 and their intervals without_leaked given training; ferplus_images and ferplus_accuracy given votes, and
        those of training.figures.agreement as ferplus_first_head. Where a second head learnt FER+:
        ferplus_head_accuracy, and its figures as ferplus. And the answers, float32 (heads, n, 7): those of the figures.
    """
    trained = read_metadata(model_dir).trained
    served = Classifier(model_dir, BATCH_SIZE).answers(data.images)
    answers = served
    if split is not None and trained.get("calibrated_on") == split:
        answers = _as_chosen_by_others(served, data, votes, trained)
    figures = metrics(answers[0], data.labels)
    if "temperature" in trained:
        before = built_in(trained)[0].undone(served[0])
        figures["ece_before_scaling"] = expected_calibration_error(before, data.labels)
    leaked = None
    if training is not None:
        leaked = data.copies_of(training)
        figures["leaked_images"] = int(leaked.sum())
        figures |= _without_leaked(answers[0], data.labels, leaked)
    if votes is not None and (majority_labels(votes) >= 0).any():
        heads = [agreement(answer, votes, leaked) for answer in answers]
        figures |= {"ferplus_images": heads[0]["images"], "ferplus_accuracy": heads[0]["accuracy"]}
        figures["ferplus_first_head"] = heads[0]
        if len(heads) > 1:
            figures |= {"ferplus_head_accuracy": heads[1]["accuracy"], "ferplus": heads[1]}
    return figures, answers


def _as_chosen_by_others(
    served: Answers, data: Dataset, votes: NDArray[np.int64] | None, trained: Mapping[str, Any]
) -> Answers:
    """What each image would be answered, had temperature and offsets been chosen on the other folds."""
    bare = [calibration.undone(answer) for calibration, answer in zip(built_in(trained), served, strict=False)]
    fold, recall = folds(data.images), trained["recipe"]["recall"]
    found = [cross_fitted(bare[0], data.labels, partial(fit_labels, recall=recall), fold)]
    if len(bare) > 1:
        found.append(served[1] if votes is None else cross_fitted(bare[1], distributions(votes), fit_shares, fold))
    return np.stack(found)


def _without_leaked(answer: NDArray[np.float32], labels: Labels, leaked: NDArray[np.bool_]) -> dict[str, Any]:
    if leaked.all():
        return {"accuracy_without_leaked": None}
    figures = metrics(answer[~leaked], labels[~leaked])
    return {
        "accuracy_without_leaked": figures["accuracy"],
        "accuracy_without_leaked_interval": figures["accuracy_interval"],
        "macro_f1_without_leaked": figures["macro_f1"],
        "macro_f1_without_leaked_interval": figures["macro_f1_interval"],
    }


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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the model or the data can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.evaluate", description="Measure an exported network on FER2013.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the network, such as models/paper")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: CSV or folder of images, or a zip of either")
    parser.add_argument("--split", choices=SPLITS, default="PublicTest")
    parser.add_argument("--ferplus", type=Path, help="FER+ votes, to tell the agreement with them as well")
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
        figures, _ = evaluate(options.model, data, training, votes, options.split)
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
