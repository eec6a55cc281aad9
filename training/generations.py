"""Trains a network in generations: `python -m training.generations --data PATH --ferplus VOTES --output models/mine`.

Each generation begins with the weights of the one before it and is taught by all before it. The last one is left in the
output folder, the others beside it, with a number. Stopped at any moment, the same command goes on.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tqdm.contrib.logging import logging_redirect_tqdm

from training import networks
from training.errors import TrainingError
from training.train import add_recipe_options, recipe_options, train
from worker.errors import TimelineError


def folders(output: Path, generations: int) -> list[Path]:
    """Where each generation is: models/mine-1, models/mine-2, models/mine."""
    return [*(output.with_name(f"{output.name}-{number}") for number in range(1, generations)), output]


def train_generations(
    data: Path,
    network: str,
    output: Path,
    generations: int,
    ferplus: Path | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Trains generation after generation.

    Args:
        data, network, ferplus: as for training.train.train.
        output: models/<name>, for the last generation.
        generations: how many; 1 or more.
        options: fields of Recipe that differ from the network's own recipes, in every generation.

    Returns:
        The content of the last one's metadata.json.

    Raises:
        TrainingError: the data, the settings or a checkpoint can't be used.
    """
    if generations < 1:
        raise TrainingError(f"There should be 1 generation or more, found {generations}.")
    places = folders(output, generations)
    untaught = {name: value for name, value in options.items() if name != "taught"}
    metadata = train(data, network, untaught, places[0], ferplus)
    for number in range(1, generations):
        chosen = {**networks.next_generation(network), **options}
        teachers = places[:number]
        metadata = train(data, network, chosen, places[number], ferplus, teachers=teachers, begins_with=teachers[-1])
    return metadata


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: as of training.train.
    """
    parser = argparse.ArgumentParser(prog="training.generations", description="Train networks that teach the next.")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: CSV or folder of images, or a zip of either")
    parser.add_argument("--network", default="residual", help="default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, help="folder of the last network, such as models/mine")
    parser.add_argument("--generations", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--ferplus", type=Path, help="FER+ votes, to report on, and to learn from where a recipe does")
    add_recipe_options(parser)
    options = vars(parser.parse_args(arguments))
    chosen = recipe_options(options)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        with logging_redirect_tqdm():
            train_generations(**options, options=chosen)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The same command goes on after the last whole epoch.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
