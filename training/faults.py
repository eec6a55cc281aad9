"""Faults of a copy of FER2013, and training images without them: `python -m training.faults --data PATH [--json]`.

FER2013 was collected by web search, so it holds images many times over, within and across its splits, some of them with
several labels, and images without any content. Nothing is repaired in the data: faults are reported, training leaves
out what it should not learn from (clean_training), and the images on which figures are measured stay as they are.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import TimelineError
from training.data.datasets import SIDE, SPLITS, Dataset, samples
from training.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What clean_training left out, each image counted once, at the first reason that holds; for a network's metadata.

    Attributes:
        images: training images before.
        blank: one grey level throughout.
        held_out_copies: pixel for pixel also in a validation or test split.
        conflicting: in a group of identical images with different labels.
        repeated: identical to an earlier image with the same label, which stays.
        kept: training images after.
    """

    images: int
    blank: int
    held_out_copies: int
    conflicting: int
    repeated: int
    kept: int

    def to_metadata(self) -> dict[str, int]:
        """The counts as JSON-able values."""
        return asdict(self)


def clean_training(training: Dataset, *held_out: Dataset) -> tuple[Dataset, Cleaned]:
    """The images to learn from: each picture once, with one label, and none that validation or test will ask for.

    Copies of held-out images would be remembered instead of recognised. Groups with conflicting labels go entirely, not
    by majority: of the 33 that are left (83 images, 0.3 %) only 11 have a majority, and FER+'s ten people side with it
    in 4 of the 7 groups that they decide.

    Args:
        training: the images to learn from.
        held_out: every other split that is at hand; it keeps its own faults.

    Returns:
        The images that stay, in their order, and counts of the others.

    Raises:
        TrainingError: none stays.
    """
    groups: dict[bytes, list[int]] = defaultdict(list)
    for position, image in enumerate(training.images):
        groups[image.tobytes()].append(position)
    known = {image.tobytes() for other in held_out for image in other.images}
    counts: Counter[str] = Counter()
    kept = []
    for pixels, group in groups.items():
        if len(set(pixels)) == 1:
            counts["blank"] += len(group)
        elif pixels in known:
            counts["held_out_copies"] += len(group)
        elif len({int(training.labels[position]) for position in group}) > 1:
            counts["conflicting"] += len(group)
        else:
            counts["repeated"] += len(group) - 1
            kept.append(group[0])
    if not kept:
        raise TrainingError(
            f"Expected training images of faces that are not in validation or test as well, but none of "
            f"{len(training)} is one ({dict(counts)}); check which data was named."
        )
    reasons = {reason: counts[reason] for reason in ("blank", "held_out_copies", "conflicting", "repeated")}
    return training.select(np.array(kept, np.int64)), Cleaned(len(training), **reasons, kept=len(kept))


@dataclass(frozen=True, slots=True)
class Located:
    """An image by where it lies and what it is said to show."""

    name: str
    split: str
    emotion: str


Group = tuple[Located, ...]


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a data set.

    Attributes:
        images: how many each split holds, unusable ones included.
        unusable: sentences; each names the image that can't be read, or whose label can't be known.
        misplaced: sentences; each names an image that belongs to no split.
        wrong_size: images that are not 48x48, "name (64x64)".
        blank: names of the images that are one grey level throughout.
        duplicates: groups of pixel-identical images, within and across splits.
    """

    images: dict[str, int]
    unusable: tuple[str, ...]
    misplaced: tuple[str, ...]
    wrong_size: tuple[str, ...]
    blank: tuple[str, ...]
    duplicates: tuple[Group, ...]

    @property
    def conflicting(self) -> tuple[Group, ...]:
        """The groups of identical images with different labels."""
        return tuple(group for group in self.duplicates if len({image.emotion for image in group}) > 1)

    @property
    def shared(self) -> dict[str, int]:
        """By "A also in B": how many images of split A are, pixel for pixel, in split B."""
        counts: Counter[tuple[str, str]] = Counter()
        for group in self.duplicates:
            held = {image.split for image in group}
            counts.update((image.split, other) for image in group for other in held - {image.split})
        pairs = [(split, other) for split in SPLITS for other in SPLITS]
        return {f"{split} also in {other}": counts[split, other] for split, other in pairs if counts[split, other]}

    def summary(self) -> dict[str, Any]:
        """The counts, JSON-able."""
        return {
            "images": self.images,
            "unusable_images": len(self.unusable),
            "misplaced_images": len(self.misplaced),
            "wrong_size_images": len(self.wrong_size),
            "blank_images": len(self.blank),
            "duplicate_groups": len(self.duplicates),
            "duplicate_images": sum(map(len, self.duplicates)),
            "conflicting_groups": len(self.conflicting),
            "conflicting_images": sum(map(len, self.conflicting)),
            "shared_images": self.shared,
        }


def find_faults(path: Path) -> Faults:
    """Looks at every image of every split, and stops at none.

    Raises:
        TrainingError: the path holds none of the forms of FER2013.
    """
    images: Counter[str] = Counter()
    unusable, misplaced, wrong_size, blank = [], [], [], []
    groups: dict[tuple[tuple[int, ...], bytes], list[Located]] = defaultdict(list)
    for sample in samples(path):
        if not sample.split:
            misplaced.append(f"{sample.fault}.")
            continue
        images[sample.split] += 1
        if sample.fault:
            unusable.append(f"{sample.fault}.")
            continue
        height, width = sample.pixels.shape
        if (height, width) != (SIDE, SIDE):
            wrong_size.append(f"{sample.name} ({width}x{height})")
        if sample.pixels.min() == sample.pixels.max():
            blank.append(sample.name)
        place = Located(sample.name, sample.split, EMOTIONS[sample.label])
        groups[sample.pixels.shape, sample.pixels.tobytes()].append(place)
    duplicates = tuple(tuple(group) for group in groups.values() if len(group) > 1)
    counts = {split: images[split] for split in SPLITS if images[split]}
    return Faults(counts, tuple(unusable), tuple(misplaced), tuple(wrong_size), tuple(blank), duplicates)


def report(faults: Faults, examples: int = 3) -> str:
    """The counts and the first few examples of each fault, as lines for people."""

    def lines(found: Sequence[str], what: str) -> list[str]:
        more = [f"  ... and {len(found) - examples:,} more; --json names all"] if len(found) > examples else []
        return [f"{what}: {len(found):,}", *(f"  {example}" for example in found[:examples]), *more]

    conflicting = [", ".join(f"{image.name} ({image.emotion})" for image in group) for group in faults.conflicting]
    duplicates = [", ".join(image.name for image in group) for group in faults.duplicates]
    return "\n".join(
        [
            *(f"images in {split}: {count:,}" for split, count in faults.images.items()),
            *lines(faults.unusable, "unusable images"),
            *lines(faults.misplaced, "images that belong to no split"),
            *lines(faults.wrong_size, f"images that are not {SIDE}x{SIDE}"),
            *lines(faults.blank, "blank images (one grey level throughout)"),
            *lines(duplicates, f"groups of identical images ({sum(map(len, faults.duplicates)):,} images in all)"),
            *lines(conflicting, "groups of identical images with conflicting labels"),
            *(f"images of {pair}: {count:,}" for pair, count in faults.shared.items()),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 looked through, with or without faults; 2 the data can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.faults", description="List the faults of a copy of FER2013.")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: CSV or folder of images, or a zip of either")
    parser.add_argument("--json", action="store_true", help="print one JSON object that names every image")
    options = parser.parse_args(arguments)
    try:
        faults = find_faults(options.data)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    print(json.dumps({**faults.summary(), "found": asdict(faults)}) if options.json else report(faults))
    return 0


if __name__ == "__main__":
    sys.exit(main())
