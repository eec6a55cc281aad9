"""Trains a network: `python -m training.train --data PATH --network paper --output models/paper`.

Stopped at any moment, the same command goes on after the last whole epoch, with the very numbers that an undisturbed
run would have had. The epoch that does best on the validation split is exported and reported. PrivateTest, where it is
at hand, decides nothing: it is read only to keep its images out of training.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.contrib.logging import logging_redirect_tqdm

from emotion_timeline.errors import TimelineError
from emotion_timeline.faces.classification import read_metadata
from emotion_timeline.faces.preprocessing import Preprocessing
from training import networks
from training.calibrate import calibrate
from training.data.datasets import OFFICIAL_SPLITS, PAPER_SPLITS, Dataset, load, splits
from training.data.ferplus import distributions, load_votes, votes_for
from training.faults import Cleaned, clean_training
from training.learning.run import Run
from training.learning.teaching import lineage
from training.recipe import Recipe
from training.reports.export import export
from training.reports.report import write_report

log = logging.getLogger("training")


def train(
    data: Path,
    network: str,
    options: Mapping[str, Any],
    output: Path,
    ferplus: Path | None = None,
    export_only: bool = False,
    teachers: Sequence[Path] = (),
    begins_with: Path | None = None,
) -> dict[str, Any]:
    """Trains, or goes on training, and leaves the network of the best epoch with its report in the output folder.

    Args:
        data: see training.data.datasets.
        network: a name in training.networks.NAMES.
        options: fields of Recipe that differ from the network's own recipe.
        output: models/<name>; the checkpoint is kept there, too.
        ferplus: FER+ votes, for a figure more in the report, and for recipes that learn them; see data/ferplus.py.
        export_only: train no further; export and report what a stopped run reached so far.
        teachers: folders of networks, for recipes with a part that is taught.
        begins_with: folder of a network of the same kind, whose weights are the first ones.

    Returns:
        The content of the network's metadata.json.

    Raises:
        TrainingError: the data, the settings or the checkpoint can't be used.
    """
    recipe = replace(networks.recipe(network), **options)
    preprocessing = recipe.preprocessing()
    faces = load_data(data, preprocessing, recipe.images)
    known = None if ferplus is None else load_votes(ferplus)
    votes = None if known is None else votes_for(faces.validation, known)
    shares = None
    if known is not None and recipe.votes:
        shares = np.nan_to_num(distributions(votes_for(faces.training, known)))
    run = Run(network, recipe, output, faces.training, faces.validation, shares, teachers, begins_with)
    if not export_only:
        for epoch in run.epochs():
            log.info(
                "epoch %(epoch)d: loss %(loss).3f, accuracy %(accuracy).3f; validation %(validation_loss).3f, "
                "%(validation_accuracy).4f; %(seconds).0f s",
                epoch,
            )
    best, model = run.best()
    trained = {
        "split": faces.training_split,
        "images": len(faces.training),
        "left_out": {"held_out": list(faces.held_out), **faces.cleaned.to_metadata()},
        "recipe": recipe.to_metadata(),
        "options": dict(options),
        "teachers": {folder.name: read_metadata(folder).version for folder in teachers},
        "begins_with": begins_with.name if begins_with else None,
        "pretrained": networks.pretrained(network),
        "generations": lineage(network, options, teachers, begins_with),
        "made_with": run.made_with,
        **calibrate(model, faces.validation, faces.validation_split, recipe.recall, votes),
        "best_epoch": best["epoch"],
        "epochs": run.history,
    }
    export(model, network, output, preprocessing, trained)
    metadata = write_report(output, faces.validation_split, faces.validation, faces.original, votes)
    log.info("%s: validation accuracy %.4f as served", metadata["version"], metadata["validation"]["accuracy"])
    return metadata


@dataclass(frozen=True, slots=True)
class Faces:
    """The data of a run.

    Attributes:
        training_split, validation_split: their names.
        original: the whole training split.
        training: what of it is trained on.
        validation: the whole validation split.
        held_out: names of the splits whose images were left out of training: the validation split, and the test split
            where it is at hand.
        cleaned: what was left out of training, and why.
    """

    training_split: str
    validation_split: str
    original: Dataset
    training: Dataset
    validation: Dataset
    held_out: tuple[str, ...]
    cleaned: Cleaned


def load_data(path: Path, preprocessing: Preprocessing, images: int = 0) -> Faces:
    """Reads the data of a run: the official splits or, where the path holds that, the paper's own.

    Args:
        path: see training.data.datasets.
        preprocessing: how the network wants its images.
        images: at most so many of each split, evenly spread; 0 for all.

    Raises:
        TrainingError: the data can't be used.
    """
    found = splits(path)
    official = not set(PAPER_SPLITS) <= set(found)
    training_split, validation_split = OFFICIAL_SPLITS[:2] if official else PAPER_SPLITS
    original, validation = (load(path, split, preprocessing) for split in (training_split, validation_split))
    test_splits = ["PrivateTest"] if official and "PrivateTest" in found else []
    training, cleaned = clean_training(original, validation, *(load(path, s, preprocessing) for s in test_splits))
    log.info(
        "Training on %(kept)d of %(images)d images; left out: %(held_out_copies)d also in a held-out split, "
        "%(repeated)d repeated, %(conflicting)d with conflicting labels, %(blank)d blank.",
        cleaned.to_metadata(),
    )
    return Faces(
        training_split,
        validation_split,
        original,
        training.thinned(images),
        validation.thinned(images),
        (validation_split, *test_splits),
        cleaned,
    )


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Adds an option for each field of Recipe."""
    for field in fields(Recipe):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=type(field.default), help="see training/recipe.py"
        )


def recipe_options(parsed: dict[str, Any]) -> dict[str, Any]:
    """Takes the recipe's fields out of the options that were parsed, and returns those that were given."""
    values = {field.name: parsed.pop(field.name) for field in fields(Recipe)}
    return {name: value for name, value in values.items() if value is not None}


def run_command(work: Callable[[], object]) -> int:
    """Does the work of a command that trains, and returns its exit code; see main."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        with logging_redirect_tqdm():
            work()
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The same command goes on after the last whole epoch.", file=sys.stderr)
        return 130
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the data, the settings or the checkpoint can't be used (a sentence on stderr says why),
        130 interrupted (the same command goes on).
    """
    parser = argparse.ArgumentParser(prog="training.train", description="Train a network on FER2013.")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: CSV or folder of images, or a zip of either")
    parser.add_argument("--network", default="paper", help=f"one of {', '.join(networks.NAMES)}; default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, help="folder of the network, such as models/paper")
    parser.add_argument("--ferplus", type=Path, help="FER+ votes, to report on, and to learn from if --votes")
    parser.add_argument("--teachers", nargs="+", type=Path, default=[], help="folders of networks to learn from")
    parser.add_argument("--begins-with", type=Path, help="folder of a network whose weights are the first ones")
    parser.add_argument("--export-only", action="store_true", help="export and report a stopped run; don't train")
    add_recipe_options(parser)
    options = vars(parser.parse_args(arguments))
    chosen = recipe_options(options)
    return run_command(lambda: train(**options, options=chosen))


if __name__ == "__main__":
    sys.exit(main())
