"""FER2013 by its splits, from any form in which people have it.

A path is one of these, or a zip of one:

- Kaggle's `fer2013.csv` (emotion,pixels,Usage) or `icml_face_data.csv` (the same in another order), by the official
  splits;
- the folder of the Kaggle data set `msambare/fer2013` (train/angry/Training_1206.jpg, test/happy/PublicTest_...), by
  the official splits, which the files' names tell: PublicTest and PrivateTest lie together in test/;
- the folder of the Kaggle data set `jonathanoheix/face-expression-recognition-dataset`
  (images/train/angry/1206.jpg, images/validation/...), the split of 28,821 and 7,066 images in Table I of the paper
  that this product starts from. Some copies say test for validation; Kaggle's own holds everything twice, in images
  and in images/images, and is read once.
"""

import csv
import io
import logging
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Preprocessing, prepare_image
from training.errors import TrainingError

OFFICIAL_SPLITS = ("Training", "PublicTest", "PrivateTest")
PAPER_SPLITS = ("train", "validation")
SPLITS = OFFICIAL_SPLITS + PAPER_SPLITS
SIDE = 48  # pixels, width and height of FER2013's images; the CSV does not say it
EXPECTED = (
    "expected Kaggle's fer2013.csv (columns emotion, pixels, Usage), a folder of JPEG or PNG images by split and "
    "emotion (such as train/angry/Training_1206.jpg or images/validation/angry/1206.jpg), or a zip of either"
)
_TABLES = ("fer2013.csv", "icml_face_data.csv")  # the second is the competition's own, with the same columns
_SPLIT_OF_FOLDER = {**{split: split for split in SPLITS}, "test": "validation"}  # where the file's name tells none
_GREY_LEVELS = {str(level): level for level in range(256)}  # a third faster than int() and a check of the range
_SUFFIXES = {".jpg", ".jpeg", ".png"}

Grey = NDArray[np.uint8]

log = logging.getLogger("training")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled faces.

    Attributes:
        images: uint8 (n, size, size, 1), 0-255, as prepare_image makes them.
        labels: int64 (n,), positions in EMOTIONS.
        names: where each image comes from: path in the folder or zip, or "row 17" of the CSV (its first line is row 1).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "Dataset":
        """The images that a mask or an array of positions names."""
        positions = np.arange(len(self))[keep]
        return Dataset(self.images[positions], self.labels[positions], tuple(self.names[i] for i in positions))

    def thinned(self, images: int) -> "Dataset":
        """At most so many images, evenly spread; 0 for all."""
        if not 0 < images < len(self):
            return self
        return self.select(np.linspace(0, len(self) - 1, images).astype(np.int64))

    def copies_of(self, other: "Dataset") -> NDArray[np.bool_]:
        """bool (n,): which of these images are, pixel for pixel, also in other."""
        known = {image.tobytes() for image in other.images}
        return np.array([image.tobytes() in known for image in self.images], dtype=bool)

    def one_hot(self) -> NDArray[np.float32]:
        """float32 (n, 7): 1 in the column of the image's emotion, in EMOTIONS order, 0 elsewhere."""
        return np.eye(len(EMOTIONS), dtype=np.float32)[self.labels]


@dataclass(frozen=True, slots=True)
class Sample:
    """One image as it lies in the data, before any preprocessing.

    Attributes:
        name: as in Dataset.names.
        split: one of SPLITS, or "" where the name or row tells none.
        label: position in EMOTIONS; -1 where there is a fault.
        pixels: uint8 (h, w), 0-255; empty where there is a fault.
        fault: a clause that says why the image can't be used; "" where it can.
    """

    name: str
    split: str
    label: int
    pixels: Grey
    fault: str = ""


def load(path: Path, split: str, preprocessing: Preprocessing) -> Dataset:
    """Reads one split, in the order of the names (folder, zip) or rows (CSV).

    A split with an image that can't be used is refused, not thinned out: figures of a smaller test set could not be
    compared with anyone's, and the cause is nearly always a broken download, which getting it again mends.

    Args:
        path: see the module's description.
        split: one of SPLITS.
        preprocessing: how the network wants its images.

    Raises:
        TrainingError: the path holds none of the known forms, lacks the split, or an image can't be used.
    """
    if split not in SPLITS:
        raise TrainingError(f"There is no split {split!r}; choose one of: {', '.join(SPLITS)}.")
    found = list(samples(path, split))
    misplaced = [sample for sample in found if not sample.split]
    faulty = [sample for sample in found if sample.split and sample.fault]
    usable = [sample for sample in found if not sample.fault]
    if misplaced:
        log.warning(
            "%s: images that belong to no split and are not used: %d, the first: %s.",
            path,
            len(misplaced),
            misplaced[0].fault,
        )
    if faulty:
        raise TrainingError(
            f"{len(faulty)} of {len(faulty) + len(usable)} images of the split {split} can't be used: "
            f"{faulty[0].fault}. Get the data again or remove what `python -m training.faults --data {path}` lists."
        )
    if not usable:
        held = ", ".join(f"{name} with {count} images" for name, count in splits(path).items()) or "no split at all"
        raise TrainingError(f"{path} holds no image of the split {split}; found {held}, {EXPECTED}.")
    crops = np.stack([prepare_image(sample.pixels, preprocessing) for sample in usable])
    labels = np.array([sample.label for sample in usable], np.int64)
    return Dataset(crops[..., None], labels, tuple(sample.name for sample in usable))


def splits(path: Path) -> dict[str, int]:
    """How many images each split of a path holds, without decoding them; splits without images are left out.

    Raises:
        TrainingError: the path holds none of the known forms.
    """
    counts = Counter(split for split, _ in _entries(path))
    return {split: counts[split] for split in SPLITS if counts[split]}


def samples(path: Path, split: str | None = None) -> Iterator[Sample]:
    """Every image of a split, or of all, with its fault if it has one; and what belongs to no split.

    Raises:
        TrainingError: the path holds none of the known forms.
    """
    for found, read in _entries(path):
        if split is None or found in (split, ""):
            yield read()


@dataclass(frozen=True, slots=True)
class _Files:
    """Names and bytes: all that a folder, a zip and a lone CSV need to have in common."""

    names: Sequence[str]
    open: Callable[[str], IO[bytes]]


@contextmanager
def _opened(path: Path) -> Iterator[_Files]:
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        yield _Files(names, lambda name: (path / name).open("rb"))
    elif not path.is_file():
        raise TrainingError(f"There is no file or folder {path}: {EXPECTED}.")
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield _Files(sorted(set(archive.namelist())), archive.open)
    elif path.suffix.lower() == ".csv":
        yield _Files([_TABLES[0]], lambda _: path.open("rb"))
    else:
        raise TrainingError(f"{path} is neither a folder, nor a zip, nor a CSV: {EXPECTED}.")


def _entries(path: Path) -> Iterator[tuple[str, Callable[[], Sample]]]:
    """The split of each image, and a function that reads it."""
    with _opened(path) as files:
        visible = [name for name in files.names if not any(_hidden(part) for part in PurePosixPath(name).parts)]
        tables = [name for name in visible if PurePosixPath(name).name in _TABLES]
        pictures = [name for name in visible if PurePosixPath(name).suffix.lower() in _SUFFIXES]
        if len(tables) > 1 or (tables and any(map(_split_of, pictures))):
            raise TrainingError(
                f"{path} should hold one {_TABLES[0]} or the images themselves, but holds {len(tables)} of the first "
                f"and {len(pictures)} of the second; name the one that is meant."
            )
        if tables:
            with io.TextIOWrapper(files.open(tables[0]), encoding="utf-8-sig", errors="replace", newline="") as text:
                yield from _rows(text, path)
        else:
            for name, split in _placed(pictures, path):
                yield split, partial(_picture, files, name, split)


def _hidden(part: str) -> bool:
    """What macOS adds to folders and zips: __MACOSX/train/angry/._Training_1206.jpg is no image."""
    return part.startswith(".") or part == "__MACOSX"


def _split_of(name: str) -> str:
    path = PurePosixPath(name)
    prefix = path.name.partition("_")[0]
    return prefix if prefix in OFFICIAL_SPLITS else _SPLIT_OF_FOLDER.get(path.parent.parent.name, "")


def _placed(names: Sequence[str], path: Path) -> Iterator[tuple[str, str]]:
    """Names with their splits; where a second folder repeats the names of a split's first folder, without the second.

    Raises:
        TrainingError: a split lies in two folders with different names; which of them is meant can't be known.
    """
    folders: dict[tuple[str, PurePosixPath], list[str]] = defaultdict(list)
    for name in names:
        folders[_split_of(name), PurePosixPath(name).parent.parent].append(name)
    first: dict[str, PurePosixPath] = {}
    for split, folder in sorted(folders, key=lambda place: len(place[1].parts)):
        known = first.setdefault(split, folder)
        if not split or folder == known:
            yield from ((name, split) for name in folders[split, folder])
        elif _within(folder, folders[split, folder]) == _within(known, folders[split, known]):
            log.info("%s: %s repeats the names in %s and is not read.", path, folder, known)
        else:
            raise TrainingError(
                f"{path} should hold the split {split} in one folder, but {known} and {folder} hold different images; "
                "remove one of them, or name the folder that is meant."
            )


def _within(folder: PurePosixPath, names: Sequence[str]) -> set[PurePosixPath]:
    return {PurePosixPath(name).relative_to(folder) for name in names}


def _picture(files: _Files, name: str, split: str) -> Sample:
    emotion = PurePosixPath(name).parent.name
    if not split:
        return _faulty(name, split, f"{name} should lie in a folder such as train/angry or test/happy")
    if emotion not in EMOTIONS:
        return _faulty(name, split, f"{name} should lie in a folder named after one of {', '.join(EMOTIONS)}")
    try:
        with files.open(name) as file:
            pixels = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    # RuntimeError: a zip's password or compression method; cv2.error: an empty file, or more pixels than OpenCV takes.
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, cv2.error):
        pixels = None
    if pixels is None:
        return _faulty(name, split, f"{name} can't be read as an image")
    return Sample(name, split, EMOTIONS.index(emotion), np.asarray(pixels, np.uint8))


def _rows(text: io.TextIOWrapper, path: Path) -> Iterator[tuple[str, Callable[[], Sample]]]:
    reader = csv.DictReader(text, restval="", skipinitialspace=True)
    try:
        if not {"emotion", "pixels", "Usage"} <= set(reader.fieldnames or ()):
            raise TrainingError(f"The first line of the CSV in {path} is {reader.fieldnames}: {EXPECTED}.")
        for number, row in enumerate(reader, start=2):
            split = row["Usage"] if row["Usage"] in OFFICIAL_SPLITS else ""
            yield split, partial(_row, number, row, split)
    except csv.Error as exc:
        raise TrainingError(f"The CSV in {path} can't be read ({exc}): {EXPECTED}.") from exc


def _row(number: int, row: dict[str, str], split: str) -> Sample:
    name = f"row {number}"
    if not split:
        return _faulty(name, split, f"{name} of the CSV should have a Usage of {', '.join(OFFICIAL_SPLITS)}")
    try:
        label = range(len(EMOTIONS)).index(int(row["emotion"]))
        values = bytes(map(_GREY_LEVELS.__getitem__, row["pixels"].split()))
        pixels = np.frombuffer(values, np.uint8).reshape(SIDE, SIDE)
    except (ValueError, KeyError):
        fault = f"{name} of the CSV should have an emotion from 0 to 6 and {SIDE * SIDE} pixels from 0 to 255"
        return _faulty(name, split, fault)
    return Sample(name, split, label, pixels)


def _faulty(name: str, split: str, fault: str) -> Sample:
    return Sample(name, split, -1, np.empty((0, 0), np.uint8), fault)
