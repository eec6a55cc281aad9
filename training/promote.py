"""Makes a network the served one, if it has earned it: `python -m training.promote models/NAME --data PATH`.

models/served.txt names the folder that is served where TIMELINE_MODEL is not set. It changes only when the candidate is
at least as good as the network served now on PublicTest, and as fast, measured in turns: in accuracy and macro-F1 by
FER2013's labels and, given FER+'s votes, in what timelines show, the answer of the head that is served: its agreement
with the raters' majority and its share error.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_timeline.errors import TimelineError
from emotion_timeline.faces.classification import Classifier, read_metadata
from emotion_timeline.faces.preprocessing import Preprocessing
from emotion_timeline.labels import Labels
from training.data.datasets import load
from training.data.ferplus import load_votes, votes_for
from training.errors import TrainingError
from training.evaluate import evaluate, refuse_known_faces
from training.figures.speed import BATCH_SIZE, faces_per_second

SERVED = "served.txt"
# Two measurements of one network on a busy machine differ by up to so much.
_SPEED_TOLERANCE = 0.1


def promote(candidate: Path, data: Path, ferplus: Path | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """Compares a network with the one served now and, if nothing speaks against it, puts it in its place.

    Args:
        candidate: models/<name>; served.txt is in the folder above.
        data: FER2013, see training.data.datasets.
        ferplus: FER+'s votes, to compare the heads that are served as well.

    Returns:
        version, accuracy, macro_f1 and faces_per_s, and with votes majority and share_error, of the
        served network and of the candidate; and what speaks against
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
        _figures(folder, data, ferplus) | {"faces_per_s": round(speed)}
        for folder, speed in zip((served, candidate), speeds, strict=True)
    )
    against = objections(before, after)
    if not against:
        partial = record.with_suffix(".partial")
        partial.write_text(f"{candidate.name}\n", encoding="utf-8")
        partial.replace(record)
    return [before, after], against


def _figures(folder: Path, path: Path, ferplus: Path | None) -> dict[str, Any]:
    metadata = read_metadata(folder)
    refuse_known_faces(metadata, "PublicTest")
    data = load(path, "PublicTest", Preprocessing.from_metadata(metadata.preprocessing))
    votes = None if ferplus is None else votes_for(data, load_votes(ferplus))
    figures, _ = evaluate(folder, data, votes=votes, split="PublicTest")
    found = {"version": metadata.version, "accuracy": figures["accuracy"], "macro_f1": figures["macro_f1"]}
    if votes is not None:
        served = figures["ferplus" if metadata.network.chosen(None) is Labels.FERPLUS else "ferplus_first_head"]
        found |= {"majority": served["accuracy"], "share_error": served["share_error"]}
    return found


def objections(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What speaks against putting a network with the figures `after` in the place of one with `before`: sentences."""
    names = {"accuracy": "accuracy", "macro_f1": "macro-F1", "majority": "agreement with FER+'s majority"}
    found = [
        f"Its {name} on PublicTest is {after[key]:.4f}, less than {before[key]:.4f}."
        for key, name in names.items()
        if key in before and after[key] < before[key]
    ]
    if "share_error" in before and after["share_error"] > before["share_error"]:
        found.append(
            f"Its share error on PublicTest is {after['share_error']:.4f}, more than {before['share_error']:.4f}."
        )
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
    parser.add_argument("--ferplus", type=Path, help="FER+ votes, to compare what timelines show as well")
    options = parser.parse_args(arguments)
    try:
        compared, against = promote(options.candidate, options.data, options.ferplus)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    names = [name for name in compared[0] if name != "version"]
    print(f"{'network':24}" + "".join(f"{name:>13}" for name in names))
    for figures in compared:
        print(f"{figures['version']:24}" + "".join(f"{figures[name]:>13.6g}" for name in names))
    if against:
        print(f"{options.candidate} was not promoted. {' '.join(against)}", file=sys.stderr)
        return 1
    print(f"{options.candidate} is served where TIMELINE_MODEL isn't set, once web and workers are started again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
