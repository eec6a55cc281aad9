"""Trains networks that teach the next: `python -m training.generations --data PATH --ferplus VOTES --output FOLDER`.

Each generation is taught by the last one of each kind before it, and begins with the weights of the last one of its
own kind: networks of different kinds err differently, those of one kind alike (docs/experiments.md). The last one is
left in the output folder, the others beside it, with a number. Stopped at any moment, the same command goes on.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from training import networks
from training.train import add_recipe_options, recipe_options, run_command, train

# By which the served network was made.
NETWORKS = ("residual", "residual", "efficientnet", "efficientnet", "residual")


def train_generations(
    data: Path,
    generations: Sequence[str],
    output: Path,
    ferplus: Path | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Trains generation after generation.

    Args:
        data, ferplus: as for training.train.train.
        generations: the network of each, a name in training.networks.NAMES; 1 or more.
        output: models/<name>, for the last generation; the others are models/<name>-1 and so on.
        options: fields of Recipe that differ from the networks' own recipes, in every generation.

    Returns:
        The content of the last one's metadata.json.

    Raises:
        TrainingError: the data, the settings or a checkpoint can't be used.
    """
    metadata: dict[str, Any] = {}
    latest: dict[str, Path] = {}  # of each kind
    for number, network in enumerate(generations, start=1):
        place = output if number == len(generations) else output.with_name(f"{output.name}-{number}")
        chosen = {**networks.taught_options(network, generations[: number - 1]), **options}
        if not latest:
            chosen.pop("taught", None)
        teachers = list(latest.values())
        begins_with = latest.get(network)
        metadata = train(data, network, chosen, place, ferplus, teachers=teachers, begins_with=begins_with)
        latest[network] = place
    return metadata


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: as of training.train.
    """
    parser = argparse.ArgumentParser(prog="training.generations", description="Train networks that teach the next.")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: CSV or folder of images, or a zip of either")
    parser.add_argument("--output", type=Path, required=True, help="folder of the last network, such as models/mine")
    about = f"of each generation: {', '.join(networks.NAMES)}; default: {' '.join(NETWORKS)}"
    parser.add_argument("--networks", nargs="+", default=NETWORKS, metavar="NAME", help=about)
    parser.add_argument("--ferplus", type=Path, help="FER+ votes, to report on, and to learn from where a recipe does")
    add_recipe_options(parser)
    options = vars(parser.parse_args(arguments))
    chosen = recipe_options(options)
    generations = options.pop("networks")
    return run_command(lambda: train_generations(generations=generations, **options, options=chosen))


if __name__ == "__main__":
    sys.exit(main())
