"""FER+ votes: read in both forms, joined to their images, turned into labels and distributions."""

from pathlib import Path

import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.preprocessing import Preprocessing
from training.data.datasets import Dataset, load
from training.data.ferplus import COLUMNS, distributions, load_votes, majority_choices, majority_labels, votes_for
from training.errors import TrainingError

SHARED = Path(__file__).parents[4] / "shared" / "data"
BY_FILE = f"image,usage,fer2013_label,{','.join(COLUMNS)}\n"
MICROSOFT = f"Usage,Image name,{','.join(COLUMNS)}\n"
NOBODY = [0] * 10


def images(*names: str) -> Dataset:
    return Dataset(np.zeros((len(names), 48, 48, 1), np.uint8), np.zeros(len(names), np.int64), names)


def votes(**counts: int) -> list[int]:
    return [counts.get(column, 0) for column in COLUMNS]


def row(counts: list[int]) -> str:
    return ",".join(map(str, counts)) + "\n"


def label(counts: list[int]) -> str | None:
    position = int(majority_labels(np.array([counts]))[0])
    return None if position == -1 else EMOTIONS[position]


def test_votes_by_file_are_joined_by_name_and_label_in_folder_and_zip(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(
        BY_FILE
        + f"Training_7.jpg,Training,angry,{row(votes(anger=10))}"
        + f"Training_7.jpg,Training,surprise,{row(votes(surprise=10))}"  # FER2013 has such pairs
        + f"PublicTest_7.jpg,PublicTest,sad,{row(votes(sadness=10))}"
    )
    names = ("fer2013/train/surprise/Training_7.jpg", "train/angry/Training_7.png", "train/sad/Training_7.jpg")
    found = votes_for(images(*names), load_votes(path))
    assert found.tolist() == [votes(surprise=10), votes(anger=10), [-1] * 10]


def test_microsofts_rows_are_those_of_the_csv(tmp_path: Path) -> None:
    path = tmp_path / "fer2013new.csv"
    path.write_text(
        MICROSOFT
        + f"Training,fer0000000.png,{row(votes(anger=10))}"
        + f"Training,,{row(votes(NF=10))}"  # without a name where the image is no face
        + f"Training,fer0000001.png,{row(votes(fear=4, unknown=6))}" * 35_885
    )
    found = votes_for(images("row 3", "row 2", "row 35888"), load_votes(path))
    assert found.tolist() == [votes(NF=10), votes(anger=10), votes(fear=4, unknown=6)]


def test_microsofts_votes_without_some_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "fer2013new.csv"
    path.write_text(MICROSOFT + f"Training,fer0000000.png,{row(votes(anger=10))}")
    with pytest.raises(TrainingError, match=r"one row for each of the 35887 of fer2013\.csv, .* but has 1;"):
        load_votes(path)


def test_votes_of_another_form_of_the_images_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(BY_FILE + f"Training_7.jpg,Training,angry,{row(votes(anger=10))}")
    with pytest.raises(TrainingError, match=r"None of the 1 images \(such as row 2\) has votes: fer2013new"):
        votes_for(images("row 2"), load_votes(path))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("emotion,pixels\n", "its first line is .*pixels"),
        ("", "its first line is None"),
        (BY_FILE + "a.jpg,Training,sad,1,2\n", "Row 2 of .* should have whole numbers"),
        (BY_FILE + f"a.jpg,Training,sad,{row([-1, *NOBODY[1:]])}", "Row 2 of .* negative number"),
        (BY_FILE + f"a.jpg,Training,sad,{row(NOBODY)}" * 2, "Row 3 of .* repeats sad/a; each image"),
    ],
)
def test_damaged_votes_are_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(content)
    with pytest.raises(TrainingError, match=sentence):
        load_votes(path)


def test_missing_votes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="can't be read"):
        load_votes(tmp_path / "nothing.csv")


def test_each_emotion_has_its_own_label() -> None:
    shared = zip(("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"), EMOTIONS, strict=True)
    for column, emotion in shared:
        assert label(votes(**{column: 10})) == emotion
        share = distributions(np.array([votes(**{column: 10})]))[0]
        assert share.tolist() == [float(name == emotion) for name in EMOTIONS]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (votes(anger=6, sadness=4), "angry"),
        (votes(anger=5, sadness=5), None),  # a tie
        (votes(anger=4, sadness=3, fear=3), None),  # the most, but not more than half
        (votes(anger=4, sadness=1, fear=1, disgust=1, surprise=1, neutral=1, happiness=1), "angry"),  # single ones
        (votes(anger=1, sadness=1), None),
        (votes(contempt=8, sadness=2), None),
        (votes(unknown=6, sadness=4), None),
        (votes(NF=10), None),
        ([-1] * 10, None),
    ],
)
def test_majority_needs_more_than_half_of_the_votes_that_count(counts: list[int], expected: str | None) -> None:
    assert label(counts) == expected


@pytest.mark.parametrize("choice", COLUMNS)
def test_majority_may_choose_each_of_the_ten(choice: str) -> None:
    assert COLUMNS[majority_choices(np.array([votes(**{choice: 8})]))[0]] == choice
    assert majority_choices(np.array([votes(**{choice: 1})]))[0] == -1


def test_distribution_is_the_share_of_votes_for_the_seven_emotions() -> None:
    share = distributions(np.array([votes(anger=4, happiness=2, contempt=2, sadness=1, fear=1)]))
    assert share.dtype == np.float32
    np.testing.assert_allclose(share, [[4 / 6, 0, 0, 2 / 6, 0, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize("counts", [votes(anger=4, unknown=4), votes(NF=10), votes(anger=1, fear=1), [-1] * 10])
def test_there_is_no_distribution_without_enough_votes_for_the_seven(counts: list[int]) -> None:
    assert np.isnan(distributions(np.array([counts]))).all()


@pytest.mark.skipif(not (SHARED / "ferplus_votes.csv").exists(), reason="FER+ is not at ../shared/data")
def test_the_real_votes_fit_the_real_images() -> None:
    data = load(SHARED / "fer2013.zip", "PublicTest", Preprocessing())
    found = votes_for(data, load_votes(SHARED / "ferplus_votes.csv"))
    assert (found[:, 0] >= 0).sum() == 3579
    decided = (labels := majority_labels(found)) >= 0
    assert decided.sum() == 3186
    happy = decided & (data.labels == EMOTIONS.index("happy"))
    assert (labels == data.labels)[happy].mean() > 0.9
    usable = ~np.isnan(shares := distributions(found)).any(axis=1)
    np.testing.assert_allclose(shares[usable].sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(shares[decided].argmax(axis=1), labels[decided])
