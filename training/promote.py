"""Makes a network the served one, if it has earned it: `python -m training.promote models/NAME --data PATH`.

models/served.txt names the folder that is served where TIMELINE_MODEL is not set. It changes only when the candidate is
at least as good as the network served now on PublicTest (accuracy and macro-F1), and as fast, measured in turns.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_timeline.errors import TimelineError
from emotion_timeline.faces.classification import Classifier, read_metadata
from emotion_timeline.faces.preprocessing import Preprocessing
from training.datasets import load
from training.errors import TrainingError
from training.evaluate import evaluate, refuse_known_faces
from training.speed import BATCH_SIZE, faces_per_second

SERVED = "served.txt"
# Two measurements of one network on a busy machine differ by up to so much.
_SPEED_TOLERANCE = 0.1


def promote(candidate: Path, data: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Compares a network with the one served now and, if nothing speaks against it, puts it in its place.

    Args:
        candidate: models/<name>; served.txt is in the folder above.
        data: FER2013, see training.datasets.

    Returns:
        version, accuracy, macro_f1 and faces_per_s of the served network and of the candidate; and what speaks against
        the candidate, as sentences: empty when it is the served one now.

    Raises:
        TrainingError: there is no network that is served now, or the candidate is that one, or one of them was trained
            on a split that has images of PublicTest.
        ModelError: a network's files can't be used.
    """
    record = candidate.parent / SERVED
    if not record.is_file():
        raise TrainingError(f"{record} should name the folder beside it whose network is served, but is missing.")
    served = candidate.parent / record.read_text(encoding="utf-8").strip()
    if served.resolve() == candidate.resolve():
        raise TrainingError(f"{candidate} is the network that is served already.")
    speeds = faces_per_second([Classifier(folder, BATCH_SIZE) for folder in (served, candidate)])
    before, after = (
        _figures(folder, data) | {"faces_per_s": round(speed)}
        for folder, speed in zip((served, candidate), speeds, strict=True)
    )
    against = objections(before, after)
    if not against:
        partial = record.with_suffix(".partial")
        partial.write_text(f"{candidate.name}\n", encoding="utf-8")
        partial.replace(record)
    return [before, after], against


def _figures(folder: Path, data: Path) -> dict[str, Any]:
    metadata = read_metadata(folder)
    refuse_known_faces(metadata, "PublicTest")
    figures, _ = evaluate(folder, load(data, "PublicTest", Preprocessing.from_metadata(metadata.preprocessing)))
    return {"version": metadata.version, "accuracy": figures["accuracy"], "macro_f1": figures["macro_f1"]}


def objections(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What speaks against putting a network with the figures `after` in the place of one with `before`: sentences."""
    found = [
        f"Its {name} on PublicTest is {after[key]:.4f}, less than {before[key]:.4f}."
        for key, name in (("accuracy", "accuracy"), ("macro_f1", "macro-F1"))
        if after[key] < before[key]
    ]
    if after["faces_per_s"] < (1 - _SPEED_TOLERANCE) * before["faces_per_s"]:
        found.append(f"It classifies {after['faces_per_s']} faces/s, fewer than {before['faces_per_s']}.")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 promoted, 1 not promoted (sentences on stderr say why), 2 something can't be used.
    """
    parser = argparse.ArgumentParser(prog="training.promote", description="Make a network the served one, if better.")
    parser.add_argument("candidate", type=Path, help="folder of the network, such as models/paper")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: Kaggle's CSV or folder, or a zip of either")
    options = parser.parse_args(arguments)
    try:
        compared, against = promote(options.candidate, options.data)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    print(f"{'network':24}{'accuracy':>10}{'macro-F1':>10}{'faces/s':>10}")
    for figures in compared:
        print("{version:24}{accuracy:10.4f}{macro_f1:10.4f}{faces_per_s:10}".format(**figures))
    if against:
        print(f"{options.candidate} was not promoted. {' '.join(against)}", file=sys.stderr)
        return 1
    print(f"{options.candidate} is served where TIMELINE_MODEL isn't set, once web and workers are started again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
