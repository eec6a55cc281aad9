"""FER2013 by its official splits, from any form in which people have it.

A path is Kaggle's fer2013.csv (emotion,pixels,Usage), the folder of the Kaggle data set msambare/fer2013
(train/angry/Training_1206.jpg, test/happy/PublicTest_...: one folder per emotion, the split in the file's name), or a
zip of either.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from worker.emotions import EMOTIONS
from worker.preprocessing import Preprocessing, prepare_image

SPLITS = ("Training", "PublicTest", "PrivateTest")
EXPECTED = (
    "expected Kaggle's fer2013.csv (columns emotion, pixels, Usage), the folder of msambare/fer2013 "
    "(such as train/angry/Training_1206.jpg), or a zip of either"
)
_SIDE = 48  # pixels; the CSV does not say it

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled faces.

    Attributes:
        images: uint8 (n, size, size, 1), 0-255, as prepare_image makes them.
        labels: int64 (n,), positions in EMOTIONS.
        names: where each image comes from: path in the folder or zip, or "row 17" of the CSV.
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

    def copies_of(self, other: "Dataset") -> NDArray[np.bool_]:
        """bool (n,): which of these images are, pixel for pixel, also in other."""
        known = {image.tobytes() for image in other.images}
        return np.array([image.tobytes() in known for image in self.images], dtype=bool)


def load(path: Path, split: str, preprocessing: Preprocessing) -> Dataset:
    """Reads one split, in the order of the names (folder, zip) or rows (CSV).

    Args:
        path: see the module's description.
        split: one of SPLITS.
        preprocessing: how the network wants its images.

    Raises:
        TrainingError: the path holds none of the known forms, lacks the split, or an image can't be read.
    """
    if split not in SPLITS:
        raise TrainingError(f"There is no split {split!r}; choose one of: {', '.join(SPLITS)}.")
    samples = list(_read(path, split))
    if not samples:
        raise TrainingError(f"{path} holds no image of the split {split}: {EXPECTED}.")
    names, labels, images = zip(*samples, strict=True)
    crops = np.stack([prepare_image(image, preprocessing) for image in images])
    return Dataset(crops[..., None], np.array(labels, np.int64), names)


def _read(path: Path, split: str) -> Iterator[tuple[str, int, Grey]]:
    if path.is_dir():
        files = {str(file.relative_to(path).as_posix()): file for file in path.rglob("*.jpg")}
        for name in _of_split(files, split):
            yield name, _label(name), _decode(files[name].read_bytes(), name)
    elif not path.is_file():
        raise TrainingError(f"There is no file or folder {path}: {EXPECTED}.")
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from _read_zip(archive, split)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as text:
            yield from _read_csv(text, split)
    else:
        raise TrainingError(f"{path} is not a data set that can be read: {EXPECTED}.")


def _read_zip(archive: zipfile.ZipFile, split: str) -> Iterator[tuple[str, int, Grey]]:
    names = archive.namelist()
    for name in _of_split(names, split):
        yield name, _label(name), _decode(archive.read(name), name)
    for name in names:
        if PurePosixPath(name).name == "fer2013.csv":
            with archive.open(name) as binary:
                yield from _read_csv(io.TextIOWrapper(binary, encoding="utf-8", newline=""), split)


def _of_split(names: Iterable[str], split: str) -> list[str]:
    return sorted(name for name in names if PurePosixPath(name).match(f"{split}_*.jpg"))


def _label(name: str) -> int:
    emotion = PurePosixPath(name).parent.name
    if emotion not in EMOTIONS:
        raise TrainingError(f"{name} should lie in a folder named after one of {', '.join(EMOTIONS)}.")
    return EMOTIONS.index(emotion)


def _decode(encoded: bytes, name: str) -> Grey:
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE) if encoded else None
    if image is None:
        raise TrainingError(f"{name} can't be read as an image; get the data set again or remove the file.")
    return np.asarray(image, np.uint8)


def _read_csv(lines: io.TextIOBase, split: str) -> Iterator[tuple[str, int, Grey]]:
    reader = csv.DictReader(lines)
    if not {"emotion", "pixels", "Usage"} <= set(reader.fieldnames or ()):
        raise TrainingError(f"The CSV's first line is {reader.fieldnames}: {EXPECTED}.")
    for number, row in enumerate(reader, start=2):
        if row["Usage"] != split:
            continue
        try:
            label = range(len(EMOTIONS)).index(int(row["emotion"]))
            image = np.array(row["pixels"].split(), np.uint8).reshape(_SIDE, _SIDE)
        except (ValueError, OverflowError) as exc:
            raise TrainingError(
                f"Row {number} of the CSV should have an emotion from 0 to 6 and {_SIDE * _SIDE} pixels from 0 to 255."
            ) from exc
        yield f"row {number}", label, image
