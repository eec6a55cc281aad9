"""Faults of FER2013 are found and named, and training leaves out what it should not learn from."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Preprocessing
from training.data.datasets import Dataset, load
from training.errors import TrainingError
from training.faults import Cleaned, clean_training, find_faults, main

FER2013 = Path(__file__).parents[3] / "shared" / "data" / "fer2013.zip"
needs_fer2013 = pytest.mark.skipif(not FER2013.exists(), reason="FER2013 is not at ../shared/data")


def face(seed: int, side: int = 48) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


BLANK = np.zeros((48, 48), np.uint8)


def dataset(*faces: tuple[NDArray[np.uint8], str]) -> Dataset:
    images = np.stack([image for image, _ in faces])[..., None]
    labels = np.array([EMOTIONS.index(emotion) for _, emotion in faces], np.int64)
    return Dataset(images, labels, tuple(f"row {row}" for row in range(2, 2 + len(faces))))


def write(root: Path, name: str, image: NDArray[np.uint8]) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """One fault of each kind."""
    write(tmp_path, "train/happy/Training_1.png", face(1))
    write(tmp_path, "train/happy/Training_2.png", face(1))  # twice in a split
    write(tmp_path, "train/sad/Training_3.png", face(2))
    write(tmp_path, "test/sad/PublicTest_4.png", face(2))  # in two splits
    write(tmp_path, "train/sad/Training_5.png", face(3))
    write(tmp_path, "train/fear/Training_6.png", face(3))  # two labels
    write(tmp_path, "train/sad/Training_7.png", face(4, side=64))
    write(tmp_path, "train/sad/Training_8.png", BLANK)
    write(tmp_path, "train/gloomy/Training_9.png", face(5))
    (tmp_path / "train" / "sad" / "Training_10.png").write_bytes(b"no image")
    write(tmp_path, "sad/11.png", face(6))
    return tmp_path


def names(groups: Sequence[Sequence[object]]) -> list[list[str]]:
    return [[str(getattr(image, "name", "")).rpartition("/")[2] for image in group] for group in groups]


def test_every_fault_is_found_and_none_ends_the_search(faulty: Path) -> None:
    faults = find_faults(faulty)
    assert faults.images == {"Training": 9, "PublicTest": 1}
    assert [sentence.partition(" ")[0] for sentence in faults.unusable] == [
        "train/gloomy/Training_9.png",
        "train/sad/Training_10.png",
    ]
    assert [sentence.partition(" ")[0] for sentence in faults.misplaced] == ["sad/11.png"]
    assert faults.wrong_size == ("train/sad/Training_7.png (64x64)",)
    assert faults.blank == ("train/sad/Training_8.png",)
    assert sorted(map(sorted, names(faults.duplicates))) == [
        ["PublicTest_4.png", "Training_3.png"],
        ["Training_1.png", "Training_2.png"],
        ["Training_5.png", "Training_6.png"],
    ]
    assert list(map(sorted, names(faults.conflicting))) == [["Training_5.png", "Training_6.png"]]
    assert faults.shared == {"Training also in PublicTest": 1, "PublicTest also in Training": 1}


def test_rows_of_the_csv_are_named(tmp_path: Path) -> None:
    pixels = [" ".join(map(str, image.ravel())) for image in (face(1), face(1), BLANK)]
    rows = [
        f"3,{pixels[0]},Training",
        f"4,{pixels[1]},PrivateTest",
        f"0,{pixels[2]},Training",
        "0,1 2,Training",
        "0,1,x",
    ]
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    faults = find_faults(path)
    assert names(faults.conflicting) == [["row 2", "row 3"]]
    assert faults.blank == ("row 4",)
    assert faults.unusable[0].startswith("row 5 of the CSV should have")
    assert faults.misplaced[0].startswith("row 6 of the CSV should have a Usage")


def test_command_prints_one_json_object_that_names_every_image(
    faulty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(faulty), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["duplicate_groups"] == 3
    assert printed["conflicting_images"] == 2
    assert printed["found"]["duplicates"][0][0].keys() == {"name", "split", "emotion"}
    assert printed["found"]["blank"] == ["train/sad/Training_8.png"]


def test_command_prints_counts_with_a_few_examples(faulty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(20, 25):
        write(faulty, f"train/sad/Training_{number}.png", np.full((48, 48), number, np.uint8))
    assert main(["--data", str(faulty)]) == 0
    printed = capsys.readouterr().out
    assert "images in Training: 14\nimages in PublicTest: 1\nunusable images: 2\n  train/gloomy/" in printed
    assert "blank images (one grey level throughout): 6" in printed
    assert "... and 3 more; --json names all" in printed
    assert "images of PublicTest also in Training: 1" in printed


def test_command_refuses_what_is_no_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "nothing")]) == 2
    assert "There is no file or folder" in capsys.readouterr().err


def test_training_keeps_each_picture_once_and_none_that_is_held_out() -> None:
    training = dataset(
        (face(1), "happy"),
        (face(2), "sad"),
        (face(1), "happy"),  # a repetition
        (BLANK, "angry"),
        (face(3), "fear"),  # also in validation
        (face(4), "fear"),  # these three conflict, and go in spite of the majority
        (face(4), "fear"),
        (face(4), "surprise"),
        (face(5), "sad"),  # also in test, there under another label
        (BLANK, "happy"),
        (face(6), "neutral"),
    )
    validation, test = dataset((face(3), "fear"), (face(7), "sad")), dataset((face(5), "angry"))
    kept, cleaned = clean_training(training, validation, test)
    assert kept.names == ("row 2", "row 3", "row 12")
    assert cleaned == Cleaned(images=11, blank=2, held_out_copies=2, conflicting=3, repeated=1, kept=3)
    assert json.loads(json.dumps(cleaned.to_metadata()))["held_out_copies"] == 2


def test_training_data_without_faults_stays_as_it_is() -> None:
    training = dataset((face(1), "happy"), (face(2), "sad"))
    kept, cleaned = clean_training(training)
    assert kept.names == training.names
    assert cleaned == Cleaned(images=2, blank=0, held_out_copies=0, conflicting=0, repeated=0, kept=2)


def test_training_on_the_validation_images_is_refused() -> None:
    training = dataset((face(1), "happy"), (face(2), "sad"))
    with pytest.raises(TrainingError, match="none of 2 is one"):
        clean_training(training, training)


@needs_fer2013
def test_the_real_data_sets_faults_are_found() -> None:
    faults = find_faults(FER2013)
    assert faults.shared["PublicTest also in Training"] == 280
    public = [name for name in faults.blank if "PublicTest" in name]
    training = [name for name in faults.blank if "Training" in name]
    assert (len(public), len(training)) == (1, 11)
    assert not faults.unusable
    assert not faults.misplaced
    assert not faults.wrong_size
    assert faults.summary()["duplicate_groups"] == 1273
    assert faults.summary()["duplicate_images"] == 2805
    assert len(faults.conflicting) == 47


@needs_fer2013
def test_real_training_images_lose_one_in_nineteen() -> None:
    training, public = (load(FER2013, split, Preprocessing()) for split in ("Training", "PublicTest"))
    kept, cleaned = clean_training(training, public)
    assert cleaned == Cleaned(28709, blank=11, held_out_copies=340, conflicting=83, repeated=1105, kept=27170)
    assert not kept.copies_of(public).any()
    assert len({image.tobytes() for image in kept.images}) == len(kept) == 27170
