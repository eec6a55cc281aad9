"""Trains a network: `python -m training.train --data PATH --network paper --output models/paper`.

Stopped at any moment, the same command goes on after the last whole epoch, with the very numbers that an undisturbed
run would have had. The epoch that does best on PublicTest is exported and reported; PrivateTest is never looked at.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import keras
from tqdm.contrib.logging import logging_redirect_tqdm

from training import networks
from training.calibration import build_in, fit_temperature
from training.datasets import Dataset, load
from training.export import export
from training.recipe import Recipe
from training.report import commit, write_report
from training.run import Run, predict
from worker.errors import TimelineError
from worker.preprocessing import Preprocessing

log = logging.getLogger("training")


def train(
    data: Path, network: str, options: Mapping[str, Any], output: Path, export_only: bool = False
) -> dict[str, Any]:
    """Trains, or goes on training, and leaves the network of the best epoch with its report in the output folder.

    Args:
        data: see training.datasets.
        network: a name in training.networks.NAMES.
        options: fields of Recipe that differ from the network's own recipe.
        output: models/<name>; the checkpoint is kept there, too.
        export_only: train no further; export and report what a stopped run reached so far.

    Returns:
        The content of the network's metadata.json.

    Raises:
        TrainingError: the data, the settings or the checkpoint can't be used.
    """
    recipe = replace(networks.recipe(network), **options)
    run = Run(network, recipe, output)
    preprocessing = Preprocessing()
    everything, training, validation = load_data(data, preprocessing, recipe.images)
    if not export_only:
        for epoch in run.epochs(training, validation):
            log.info(
                "epoch %(epoch)d: loss %(loss).3f, accuracy %(accuracy).3f; on PublicTest %(validation_loss).3f and "
                "%(validation_accuracy).4f; %(seconds).0f s",
                epoch,
            )
    best, model = run.best()
    temperature = fit_temperature(predict(model, validation.images), validation.labels)
    build_in(model, temperature)
    trained = {
        "data": "FER2013, split Training without the images that are also in PublicTest",
        "images": len(training),
        "faults": "",
        "recipe": recipe.to_metadata(),
        "options": dict(options),
        "precision": run.precision,
        "backend": f"{keras.backend.backend()}, Keras {keras.__version__}",
        "commit": commit(),
        "temperature": temperature,
        "best_epoch": best["epoch"],
        "epochs": run.history,
    }
    export(model, network, output, preprocessing, trained)
    metadata = write_report(output, validation, everything)
    log.info("%s: accuracy %.4f on PublicTest as served", metadata["version"], metadata["validation"]["accuracy"])
    return metadata


def load_data(path: Path, preprocessing: Preprocessing, images: int = 0) -> tuple[Dataset, Dataset, Dataset]:
    """The data of a run.

    Args:
        path: see training.datasets.
        preprocessing: how the network wants its images.
        images: at most so many of each split, evenly spread; 0 for all.

    Returns:
        The split Training; what of it is trained on, without the images that are also in PublicTest; PublicTest.
    """
    validation = load(path, "PublicTest", preprocessing)
    everything = load(path, "Training", preprocessing)
    training = everything.select(~everything.copies_of(validation))
    return everything, training.thinned(images), validation.thinned(images)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the data, the settings or the checkpoint can't be used (a sentence on stderr says why),
        130 interrupted (the same command goes on).
    """
    parser = argparse.ArgumentParser(prog="training.train", description="Train a network on FER2013.")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: Kaggle's CSV or folder, or a zip of either")
    parser.add_argument("--network", default="paper", help=f"one of {', '.join(networks.NAMES)}; default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, help="folder of the network, such as models/paper")
    parser.add_argument("--export-only", action="store_true", help="export and report a stopped run; don't train")
    for field in fields(Recipe):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=type(field.default), help="see training/recipe.py"
        )
    options = vars(parser.parse_args(arguments))
    data, network, output, export_only = (options.pop(name) for name in ("data", "network", "output", "export_only"))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        with logging_redirect_tqdm():
            train(data, network, {k: v for k, v in options.items() if v is not None}, output, export_only)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The same command goes on after the last whole epoch.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
