"""FER2013 from each of its forms."""

import csv
import logging
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Preprocessing
from training.data.datasets import SPLITS, Dataset, load, samples, splits
from training.errors import TrainingError

FER2013 = Path(__file__).parents[4] / "shared" / "data" / "fer2013.zip"
OFFICIAL = ("Training", "PublicTest")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Like msambare/fer2013: two images per emotion and split; flat ones, so that JPEG keeps their grey level."""
    root = tmp_path / "fer2013"
    for label, emotion in enumerate(EMOTIONS):
        for split, place in zip(OFFICIAL, ("train", "test"), strict=True):
            for number in range(2):
                grey = 30 * label + 10 * number + 3 * (split == "Training") + 5
                write_image(root / place / emotion / f"{split}_{10 * label + number}.jpg", grey)
    return root


def write_image(path: Path, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((48, 48), grey, np.uint8))


def paper_folder(root: Path, train: str, validation: str, suffix: str = ".jpg") -> Path:
    """Like jonathanoheix/face-expression-recognition-dataset: names are numbers; two and one images per emotion."""
    for label, emotion in enumerate(EMOTIONS):
        for place, numbers in ((train, (0, 1)), (validation, (2,))):
            for number in numbers:
                write_image(root / place / emotion / f"{3 * label + number}{suffix}", 30 * label + 5 * number + 5)
    return root


def zipped(folder: Path) -> Path:
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.rglob("*"):
            file.write(path, path.relative_to(folder.parent))
    return archive


def as_csv(folder: Path) -> Path:
    path = folder.parent / "csv" / "fer2013.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for split in OFFICIAL:
            data = load(folder, split, Preprocessing())
            for image, label in zip(data.images, data.labels, strict=True):
                writer.writerow([label, " ".join(map(str, image.ravel())), split])
    return path


def assert_same(found: Dataset, expected: Dataset) -> None:
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.labels, expected.labels)


@pytest.mark.parametrize("split", OFFICIAL)
def test_folder_zip_and_csv_hold_the_same_images(folder: Path, split: str) -> None:
    data = load(folder, split, Preprocessing())
    assert data.images.shape == (14, 48, 48, 1)
    assert data.images.dtype == np.uint8
    np.testing.assert_array_equal(data.images[:, 24, 24, 0] // 30, data.labels)
    table = as_csv(folder)
    for path in (zipped(folder), table, table.parent, zipped(table.parent)):
        assert_same(load(path, split, Preprocessing()), data)


def test_names_tell_the_file_or_the_row(folder: Path) -> None:
    assert load(folder, "Training", Preprocessing()).names[0] == "train/angry/Training_0.jpg"
    assert load(zipped(folder), "Training", Preprocessing()).names[0] == "fer2013/train/angry/Training_0.jpg"
    names = load(as_csv(folder), "PublicTest", Preprocessing()).names
    assert names == tuple(f"row {row}" for row in range(16, 30))  # after the header and 14 rows of Training


def test_private_and_public_test_are_told_apart_in_one_folder(folder: Path) -> None:
    write_image(folder / "test" / "sad" / "PrivateTest_5.jpg", 100)
    assert splits(folder) == {"Training": 14, "PublicTest": 14, "PrivateTest": 1}
    assert load(folder, "PrivateTest", Preprocessing()).names == ("test/sad/PrivateTest_5.jpg",)


@pytest.mark.parametrize(
    ("train", "validation"),
    [
        ("train", "validation"),
        ("images/train", "images/validation"),
        ("images/images/train", "images/images/validation"),
        ("train", "test"),
    ],
)
def test_the_papers_split_is_read_by_its_folders(tmp_path: Path, train: str, validation: str) -> None:
    root = paper_folder(tmp_path / "faces", train, validation)
    for path in (root, zipped(root)):
        assert splits(path) == {"train": 14, "validation": 7}
        data = load(path, "validation", Preprocessing())
        assert sorted(data.labels) == list(range(7))
        np.testing.assert_array_equal(data.images[:, 24, 24, 0], 30 * data.labels + 15)


def test_png_is_read_as_well(tmp_path: Path) -> None:
    root = paper_folder(tmp_path, "train", "validation", ".PNG")
    assert len(load(root, "train", Preprocessing())) == 14


def test_a_data_set_that_kaggle_nests_in_itself_is_read_once(tmp_path: Path) -> None:
    root = paper_folder(tmp_path / "faces", "images/train", "images/validation")
    paper_folder(root, "images/images/train", "images/images/validation")
    assert splits(root) == {"train": 14, "validation": 7}
    assert load(root, "train", Preprocessing()).names[0] == "images/train/angry/0.jpg"


def test_two_different_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    root = paper_folder(tmp_path, "images/train", "images/validation")
    write_image(root / "images" / "test" / "sad" / "900.jpg", 9)
    with pytest.raises(TrainingError, match=r"validation in one folder, but images/test and images/validation hold"):
        load(root, "validation", Preprocessing())


def test_csv_beside_images_is_refused(folder: Path) -> None:
    shutil.copy(as_csv(folder), folder)
    with pytest.raises(TrainingError, match=r"holds 1 of the first and 28 of the second; name the one"):
        load(folder, "Training", Preprocessing())


def test_what_macos_adds_is_no_image(folder: Path) -> None:
    write_image(folder / "__MACOSX" / "train" / "sad" / "Training_1.jpg", 1)
    (folder / "train" / "sad" / "._Training_40.jpg").write_bytes(b"x")
    assert splits(folder) == {"Training": 14, "PublicTest": 14}


def test_labels_follow_the_folders_names(folder: Path) -> None:
    data = load(folder, "PublicTest", Preprocessing())
    assert [EMOTIONS[label] for label in data.labels] == [Path(name).parent.name for name in data.names]


def test_one_hot_labels_have_a_one_where_the_emotion_is(folder: Path) -> None:
    data = load(folder, "PublicTest", Preprocessing())
    assert data.one_hot().dtype == np.float32
    assert data.one_hot().shape == (14, 7)
    np.testing.assert_array_equal(data.one_hot().argmax(axis=1), data.labels)
    np.testing.assert_array_equal(data.one_hot().sum(axis=1), np.ones(14))


def test_copies_in_another_split_are_found(folder: Path) -> None:
    leaked = folder / "train" / "happy" / "Training_99.jpg"
    leaked.write_bytes((folder / "test" / "happy" / "PublicTest_30.jpg").read_bytes())
    training, public = (load(folder, split, Preprocessing()) for split in OFFICIAL)
    copies = training.copies_of(public)
    assert [training.names[i] for i in np.flatnonzero(copies)] == ["train/happy/Training_99.jpg"]
    assert len(training.select(~copies)) == 14


def test_unknown_split_is_refused(folder: Path) -> None:
    with pytest.raises(TrainingError, match=r"no split 'test'; choose one of: Training, .* train, validation\."):
        load(folder, "test", Preprocessing())


def test_absent_split_is_refused_and_those_that_are_there_are_named(folder: Path) -> None:
    found = r"no image of the split PrivateTest; found Training with 14 images, PublicTest with 14 images, expected Kag"
    for path in (folder, as_csv(folder)):
        with pytest.raises(TrainingError, match=found):
            load(path, "PrivateTest", Preprocessing())


def test_missing_path_and_unknown_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There is no file or folder"):
        load(tmp_path / "nothing", "Training", Preprocessing())
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(TrainingError, match="neither a folder, nor a zip, nor a CSV: expected Kaggle's"):
        load(tmp_path / "notes.txt", "Training", Preprocessing())
    with pytest.raises(TrainingError, match="found no split at all, expected Kaggle's"):
        load(tmp_path, "Training", Preprocessing())


def test_unreadable_images_are_counted_and_the_first_is_named(folder: Path) -> None:
    whole = (folder / "train" / "sad" / "Training_40.jpg").read_bytes()
    (folder / "train" / "sad" / "Training_40.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "train" / "surprise" / "Training_7.png").write_bytes(b"")
    for path in (folder, zipped(folder)):
        with pytest.raises(TrainingError, match=r"2 of 15 images .* can't be used: .*Training_40\.jpg can't be read"):
            load(path, "Training", Preprocessing())
        assert len(load(path, "PublicTest", Preprocessing())) == 14


def test_damaged_zip_member_is_named(folder: Path) -> None:
    archive = zipped(folder)
    with zipfile.ZipFile(archive) as file:
        start = file.getinfo("fer2013/train/sad/Training_40.jpg").header_offset
    content = bytearray(archive.read_bytes())
    content[start + 200] ^= 255  # within the stored image: its checksum no longer fits
    archive.write_bytes(content)
    with pytest.raises(TrainingError, match=r"1 of 14 images .*sad/Training_40\.jpg can't be read as an image"):
        load(archive, "Training", Preprocessing())


def test_unknown_emotion_is_named(folder: Path) -> None:
    (folder / "train" / "sad").rename(folder / "train" / "gloomy")
    with pytest.raises(TrainingError, match=r"gloomy/.* should lie in a folder named after one of angry"):
        load(folder, "Training", Preprocessing())


def test_an_image_of_no_split_is_left_out_with_a_logged_sentence(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_image(folder / "sad" / "5.jpg", 5)
    with caplog.at_level(logging.WARNING, "training"):
        assert len(load(folder, "Training", Preprocessing())) == 14
    assert "belong to no split and are not used: 1, the first: sad/5.jpg should lie in a folder such as" in caplog.text


@pytest.mark.parametrize(
    ("emotion", "pixels"), [("7", "0 " * 2304), ("-1", "0 " * 2304), ("0", "0 0"), ("0", "x"), ("0", "256 " * 2304)]
)
def test_damaged_csv_row_is_named(tmp_path: Path, emotion: str, pixels: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f"emotion,pixels,Usage\n{emotion},{pixels},Training\n")
    with pytest.raises(TrainingError, match="row 2 of the CSV should have an emotion from 0 to 6"):
        load(path, "Training", Preprocessing())


def test_kaggles_other_csv_is_read_and_its_short_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "icml_face_data.csv"
    path.write_text(f"emotion, Usage, pixels\n3, Training, {'9 ' * 2304}\n4, PrivateTest\n")
    data = load(path, "Training", Preprocessing())
    assert data.labels.tolist() == [3]
    assert (data.images == 9).all()
    with pytest.raises(TrainingError, match="row 3 of the CSV should have an emotion from 0 to 6 and 2304 pixels"):
        load(path, "PrivateTest", Preprocessing())


def test_csv_with_other_columns_or_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    for content in (b"emotion,pixels\n0,0 0\n", b"", b"\xff\xfe\x00\x01"):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match=r"expected Kaggle's fer2013\.csv"):
            load(path, "Training", Preprocessing())


def test_row_without_a_known_usage_belongs_to_no_split(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f"emotion,pixels,Usage\n0,{'9 ' * 2304},Training\n0,{'9 ' * 2304},Tra\n0\n")
    assert [sample.fault for sample in samples(path) if not sample.split] == [
        f"row {row} of the CSV should have a Usage of Training, PublicTest, PrivateTest" for row in (3, 4)
    ]
    assert len(load(path, "Training", Preprocessing())) == 1


@pytest.mark.skipif(not FER2013.exists(), reason="FER2013 is not at ../shared/data")
def test_the_real_data_set_has_its_published_sizes() -> None:
    found = splits(FER2013)
    assert {split: found[split] for split in OFFICIAL} == {"Training": 28709, "PublicTest": 3589}
    assert set(found) <= set(SPLITS)
    data = load(FER2013, "PublicTest", Preprocessing())
    np.testing.assert_array_equal(np.bincount(data.labels), [467, 56, 496, 895, 653, 415, 607])
