"""FER+: ten people's votes for each image of FER2013, as labels or as distributions over the seven emotions.

Barsoum et al., "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution", ICMI
2016, https://arxiv.org/abs/1608.01041. Votes come in two forms: Microsoft's fer2013new.csv, whose rows follow those of
fer2013.csv, so that it fits that form of FER2013 only; and a CSV with file name and FER2013 label of each image
(image,usage,fer2013_label,neutral,...), which fits the folder and zip of msambare/fer2013.
"""

import csv
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from training.data.datasets import Dataset
from training.errors import TrainingError

# The columns of both forms, in their order; NF is "not a face".
COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"),
    *("contempt", "unknown", "NF"),
)
# For each of EMOTIONS its column in COLUMNS.
_SHARED = np.array(
    [COLUMNS.index(name) for name in ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")]
)
EIGHT = tuple(range(COLUMNS.index("unknown")))
"""Places in COLUMNS of the eight emotions of FER+'s own protocol: the seven and contempt."""
_ROWS = 35_887  # of fer2013.csv

Votes = Mapping[str, NDArray[np.int64]]


def load_votes(path: Path) -> Votes:
    """Reads the votes for each image, in either form.

    Returns:
        int64 (10,) votes in the order of COLUMNS by image: "row 17" of fer2013.csv, or "angry/Training_1206". The
        emotion is needed: FER2013 has two pairs of different images with the same file name and different labels.

    Raises:
        TrainingError: the file is missing or in neither form, or a row is damaged.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
            reader = csv.DictReader(text, restval="")
            fields = set(reader.fieldnames or ())
            by_file = {"image", "fer2013_label", *COLUMNS} <= fields
            if not by_file and not {"Usage", "Image name", *COLUMNS} <= fields:
                raise TrainingError(
                    f"{path} should be FER+'s fer2013new.csv (Usage,Image name,neutral,...,NF) or votes by file "
                    f"(image,usage,fer2013_label,neutral,...,NF), but its first line is {reader.fieldnames}."
                )
            rows = list(enumerate(reader, start=2))
    except (OSError, csv.Error) as exc:
        raise TrainingError(f"The votes in {path} can't be read: {exc}.") from exc
    if not by_file and len(rows) != _ROWS:
        raise TrainingError(
            f"{path} should have one row for each of the {_ROWS} of fer2013.csv, in their order, but has {len(rows)}; "
            "get FER+'s own fer2013new.csv."
        )
    votes: dict[str, NDArray[np.int64]] = {}
    for number, row in rows:
        name = _key(f"{row['fer2013_label']}/{row['image']}") if by_file else f"row {number}"
        if name in votes:
            raise TrainingError(f"Row {number} of {path} repeats {name}; each image should have one row.")
        votes[name] = _counts(row, number, path)
    return votes


def votes_for(data: Dataset, votes: Votes) -> NDArray[np.int64]:
    """The votes for each image of a data set.

    Returns:
        int64 (n, 10), in the order of COLUMNS; -1 in the whole row of an image without votes.

    Raises:
        TrainingError: none of the images has votes, so the votes are those of another form of FER2013.
    """
    absent = np.full(len(COLUMNS), -1)
    found = np.array([votes.get(_key(name), absent) for name in data.names], np.int64).reshape(-1, len(COLUMNS))
    if len(data) and (found < 0).all():
        raise TrainingError(
            f"None of the {len(data)} images (such as {data.names[0]}) has votes: fer2013new.csv goes with "
            "fer2013.csv, votes by file name go with the folder or zip of msambare/fer2013."
        )
    return found


def majority_labels(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Majority voting, as in Barsoum et al. and the code published with it.

    An emotion with a single vote counts as an outlier and loses that vote. The choice that then has more than half of
    the votes left is the label. There is none where no choice has more than half (so in every tie, and where all votes
    were single ones), where the majority says contempt, unknown or not a face, and where there are no votes.

    Args:
        votes: int (n, 10) in the order of COLUMNS; -1 for absent.

    Returns:
        int64 (n,): positions in EMOTIONS; -1 for no label.
    """
    choices = majority_choices(votes)
    emotions = np.full(len(COLUMNS) + 1, -1)
    emotions[_SHARED] = np.arange(len(_SHARED))
    return emotions[choices]  # the last place is that of no choice


def majority_choices(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The choice that the majority of the raters made, by the rules of majority_labels, whichever it is.

    FER+'s own protocol measures on the images where this is one of EIGHT.

    Args:
        votes: int (n, 10) in the order of COLUMNS; -1 for absent.

    Returns:
        int64 (n,): places in COLUMNS; -1 where there is none.
    """
    counts = _without_outliers(votes)
    decided = 2 * counts.max(axis=1) > counts.sum(axis=1)
    return np.where(decided, counts.argmax(axis=1), -1)


def distributions(votes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Soft labels: the share of each of the seven emotions in the votes for them.

    Single votes are outliers here, too. As Barsoum et al. discard an image of which half of the votes or fewer can be
    used, so there is no distribution where contempt, unknown and not a face together have half of the votes left or
    more, or no vote is left.

    Args:
        votes: int (n, 10) in the order of COLUMNS; -1 for absent.

    Returns:
        float32 (n, 7) in the order of EMOTIONS; rows sum to 1, or are NaN where there is no distribution.
    """
    counts = _without_outliers(votes)
    shared = counts[:, _SHARED]
    total = shared.sum(axis=1, keepdims=True)
    usable = 2 * total > counts.sum(axis=1, keepdims=True)
    shares = np.full(shared.shape, np.nan, np.float32)
    np.divide(shared, total, out=shares, where=usable, casting="same_kind")
    return shares


def _without_outliers(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(votes > 1, votes, 0)


def _key(name: str) -> str:
    """Emotion and file name without its ending: what folder, zip and votes have in common. A CSV's row stays as is."""
    return "/".join(PurePosixPath(name).with_suffix("").parts[-2:])


def _counts(row: Mapping[str, str], number: int, path: Path) -> NDArray[np.int64]:
    try:
        counts = np.array([int(row[column]) for column in COLUMNS])
    except ValueError as exc:
        raise TrainingError(f"Row {number} of {path} should have whole numbers as votes; get the file again.") from exc
    if counts.min() < 0:
        raise TrainingError(f"Row {number} of {path} has a negative number of votes; get the file again.")
    return counts
