"""Calibrates an exported network anew: `python -m training.calibrate --model models/NAME --data PATH --ferplus VOTES`.

What is built into its heads is taken out, and what training.train builds in is fitted and built in again. Weights,
metadata, report and card are written; only temperature and offsets are other ones.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.errors import TimelineError
from emotion_timeline.faces.classification import read_metadata, read_network
from emotion_timeline.faces.preprocessing import Preprocessing
from training.data.datasets import PAPER_SPLITS, Dataset, load
from training.data.ferplus import distributions, load_votes, votes_for
from training.errors import TrainingError
from training.figures.calibration import build_in, built_in, fit_labels, fit_shares, take_out
from training.learning.run import predict
from training.parts.heads import FERPLUS_HEAD, HEAD
from training.reports.export import export
from training.reports.report import write_report


def calibrate(model: Any, data: Dataset, split: str, recall: float, votes: NDArray[np.int64] | None) -> dict[str, Any]:
    """Fit what belongs into the heads of a network, and build it in.

    Args:
        model: a Keras network with nothing built in.
        data: the images to fit on.
        split: their name.
        recall: see training.recipe.
        votes: int64 (n, 10), FER+'s votes for data; needed for a second head.

    Returns:
        What is to be recorded of it in metadata.json, under trained.
    """
    first = fit_labels(predict(model, data.images), data.labels, recall)
    build_in(model, first)
    found = {"calibrated_on": split, "offsets": first.named(), "temperature": first.temperature}
    if len(model.outputs) == 1 or votes is None:
        return found
    second = fit_shares(predict(model, data.images, head=1), distributions(votes))
    build_in(model, second, FERPLUS_HEAD)
    return found | {"ferplus_offsets": second.named(), "ferplus_temperature": second.temperature}


def calibrate_again(model_dir: Path, data_path: Path, ferplus: Path | None) -> dict[str, Any]:
    """Calibrate the network in a folder on its validation split.

    Args:
        model_dir: models/<name>.
        data_path: FER2013, see training.data.datasets.
        ferplus: FER+'s votes; needed for a network with a second head.

    Returns:
        The content of its metadata.json.

    Raises:
        TrainingError: the data can't be used, or the votes are missing.
        ModelError: the network's files can't be used.
    """
    metadata = read_metadata(model_dir)
    trained: Mapping[str, Any] = metadata.trained
    weights, architecture = read_network(model_dir)
    model = keras.models.model_from_json(architecture)
    model.set_weights(weights)
    if len(model.outputs) > 1 and ferplus is None:
        raise TrainingError(
            f"{metadata.version} has a head for FER+'s votes, which are needed to calibrate it: --ferplus."
        )
    preprocessing = Preprocessing.from_metadata(metadata.preprocessing)
    split = _validation_split(trained)
    data, training = (load(data_path, name, preprocessing) for name in (split, str(trained.get("split", "Training"))))
    votes = None if ferplus is None else votes_for(data, load_votes(ferplus))
    for head, calibration in zip((HEAD, FERPLUS_HEAD), built_in(trained)[: len(model.outputs)], strict=False):
        take_out(model, calibration, head)
    recall = trained["recipe"].get("recall", 0.0)
    found = dict(trained) | calibrate(model, data, split, recall, votes)
    export(model, metadata.name, model_dir, preprocessing, found)
    return write_report(model_dir, split, data, training, votes, metadata.validation.get("speed"))


def _validation_split(trained: Mapping[str, Any]) -> str:
    return PAPER_SPLITS[1] if trained.get("split") in PAPER_SPLITS else "PublicTest"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the network or the data can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.calibrate", description="Calibrate an exported network anew.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the network, such as models/residual")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: CSV or folder of images, or a zip of either")
    parser.add_argument("--ferplus", type=Path, help="FER+ votes; needed where the network learnt them")
    options = parser.parse_args(arguments)
    try:
        before = read_metadata(options.model).version
        metadata = calibrate_again(options.model, options.data, options.ferplus)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    print(f"{before} became {metadata['version']}: {options.model / 'README.md'} tells its figures.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
