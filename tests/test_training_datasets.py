"""FER2013 from each of its forms."""

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.datasets import load
from training.errors import TrainingError
from worker.emotions import EMOTIONS
from worker.preprocessing import Preprocessing

SPLITS = ("Training", "PublicTest")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images per emotion and split; flat ones, so that JPEG keeps their grey level."""
    root = tmp_path / "fer2013"
    for label, emotion in enumerate(EMOTIONS):
        for split, place in zip(SPLITS, ("train", "test"), strict=True):
            (root / place / emotion).mkdir(parents=True)
            for number in range(2):
                grey = np.full((48, 48), 30 * label + 10 * number + 3 * (split == "Training") + 5, np.uint8)
                cv2.imwrite(str(root / place / emotion / f"{split}_{10 * label + number}.jpg"), grey)
    return root


def zipped(folder: Path) -> Path:
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.rglob("*"):
            file.write(path, path.relative_to(folder))
    return archive


def as_csv(folder: Path) -> Path:
    path = folder.parent / "fer2013.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for split in SPLITS:
            data = load(folder, split, Preprocessing())
            for image, label in zip(data.images, data.labels, strict=True):
                writer.writerow([label, " ".join(map(str, image.ravel())), split])
    return path


@pytest.mark.parametrize("split", SPLITS)
def test_folder_zip_and_csv_hold_the_same_images(folder: Path, split: str) -> None:
    data = load(folder, split, Preprocessing())
    assert data.images.shape == (14, 48, 48, 1)
    assert data.images.dtype == np.uint8
    np.testing.assert_array_equal(data.images[:, 24, 24, 0] // 30, data.labels)
    for other in (load(zipped(folder), split, Preprocessing()), load(as_csv(folder), split, Preprocessing())):
        np.testing.assert_array_equal(other.images, data.images)
        np.testing.assert_array_equal(other.labels, data.labels)
        assert len(other.names) == 14


def test_labels_follow_the_folders_names(folder: Path) -> None:
    data = load(folder, "PublicTest", Preprocessing())
    assert [EMOTIONS[label] for label in data.labels] == [Path(name).parent.name for name in data.names]


def test_copies_in_another_split_are_found(folder: Path) -> None:
    leaked = folder / "train" / "happy" / "Training_99.jpg"
    leaked.write_bytes((folder / "test" / "happy" / "PublicTest_30.jpg").read_bytes())
    training, public = (load(folder, split, Preprocessing()) for split in SPLITS)
    copies = training.copies_of(public)
    assert [training.names[i] for i in np.flatnonzero(copies)] == ["train/happy/Training_99.jpg"]
    assert len(training.select(~copies)) == 14


def test_unknown_split_is_refused(folder: Path) -> None:
    with pytest.raises(TrainingError, match=r"no split 'test'; choose one of: Training, PublicTest, PrivateTest"):
        load(folder, "test", Preprocessing())


def test_absent_split_is_refused(folder: Path) -> None:
    with pytest.raises(TrainingError, match=r"no image of the split PrivateTest: expected Kaggle's fer2013\.csv"):
        load(folder, "PrivateTest", Preprocessing())


def test_missing_path_and_unknown_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There is no file or folder"):
        load(tmp_path / "nothing", "Training", Preprocessing())
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(TrainingError, match="not a data set that can be read"):
        load(tmp_path / "notes.txt", "Training", Preprocessing())


def test_unreadable_image_and_unknown_emotion_are_named(folder: Path) -> None:
    (folder / "train" / "sad" / "Training_7.jpg").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"train/sad/Training_7\.jpg can't be read"):
        load(folder, "Training", Preprocessing())
    (folder / "train" / "sad").rename(folder / "train" / "gloomy")
    with pytest.raises(TrainingError, match=r"gloomy/.* should lie in a folder named after one of angry"):
        load(folder, "Training", Preprocessing())


@pytest.mark.parametrize(("emotion", "pixels"), [("7", "0 " * 2304), ("-1", "0 " * 2304), ("0", "0 0"), ("0", "x")])
def test_damaged_csv_row_is_named(tmp_path: Path, emotion: str, pixels: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f"emotion,pixels,Usage\n{emotion},{pixels},Training\n")
    with pytest.raises(TrainingError, match="Row 2 of the CSV should have an emotion from 0 to 6"):
        load(path, "Training", Preprocessing())
