"""A second head that learns FER+'s votes, and training on parts of images."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.classification import Classifier, read_metadata
from tests.networks import TINY
from training import networks
from training.calibrate import main as calibrate_main
from training.data.augmentation import cropped
from training.data.datasets import Dataset
from training.data.ferplus import COLUMNS
from training.errors import TrainingError
from training.evaluate import main as evaluate_main
from training.learning.run import Run, predict
from training.parts.heads import FERPLUS_HEAD
from training.recipe import Recipe
from training.train import main

RECIPE = replace(networks.recipe(TINY), epochs=5, batch_size=20, augmentation="none", mixup=0.0, rate=0.02)
_FERPLUS_NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def votes_file(path: Path, data: tuple[Dataset, Dataset]) -> Path:
    """Votes that call each emotion by the next one's name: the two heads must learn to disagree."""
    rows = [",".join(["image", "usage", "fer2013_label", *COLUMNS])]
    for part, usage in zip(data, ("Training", "PublicTest"), strict=True):
        for name, label in zip(part.names, part.labels.tolist(), strict=True):
            voted = _FERPLUS_NAMES[(label + 1) % 7]
            counts = ["10" if column == voted else "0" for column in COLUMNS]
            rows.append(",".join([Path(name).name, usage, EMOTIONS[label], *counts]))
    path.write_text("\n".join(rows))
    return path


def test_second_head_learns_the_votes_while_labels_rule_the_first(
    tmp_path: Path,
    training_images: Path,
    training_data: tuple[Dataset, Dataset],
    capsys: pytest.CaptureFixture[str],
) -> None:
    votes, output = votes_file(tmp_path / "votes.csv", training_data), tmp_path / "models" / TINY
    command = ["--data", str(training_images), "--network", TINY, "--output", str(output)]
    options = ["--batch-size=20", "--augmentation=none", "--mixup=0", "--average=0", "--rate=0.02", "--epochs=16"]
    assert main([*command, *options, "--ferplus", str(votes)]) == 0
    validation = read_metadata(output).validation
    assert validation["accuracy"] > 0.4  # batch normalization needs these epochs to know its means
    assert validation["ferplus_accuracy"] < 0.4  # the labels are not what the votes say
    assert validation["ferplus_head_accuracy"] > 0.4
    card = (output / "README.md").read_text()
    assert f"{validation['ferplus_head_accuracy']:.2%}" in card
    assert "against the votes of FER+'s ten raters" in card
    trained = read_metadata(output).trained
    assert trained["calibrated_on"] == "PublicTest"
    assert sorted(trained["ferplus_offsets"]) == sorted(EMOTIONS)
    assert read_metadata(output).labels == ("fer2013", "ferplus")
    capsys.readouterr()
    assert (
        evaluate_main(["--model", str(output), "--data", str(training_images), "--ferplus", str(votes), "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out).items() <= validation.items()

    classifier = Classifier(output)
    answers = classifier.answers(training_data[1].images)
    assert answers.shape == (2, len(training_data[1]), 7)
    np.testing.assert_allclose(answers.sum(axis=-1), 1, atol=1e-5)
    assert np.abs(answers[0] - answers[1]).max() > 0.1
    voted = np.bincount((training_data[1].labels + 1) % 7, minlength=7)
    np.testing.assert_allclose(answers[1].mean(axis=0), voted / voted.sum(), atol=0.02)
    np.testing.assert_array_equal(classifier.probabilities(training_data[1].images), answers[1])

    # Calibrated anew, it answers the same: only what was built in is taken out and fitted again.
    assert calibrate_main(["--model", str(output), "--data", str(training_images), "--ferplus", str(votes)]) == 0
    np.testing.assert_allclose(Classifier(output).answers(training_data[1].images), answers, atol=0.02)
    assert calibrate_main(["--model", str(output), "--data", str(training_images)]) == 2
    assert "has a head for FER+'s votes, which are needed to calibrate it" in capsys.readouterr().err


def test_images_without_votes_have_no_say_in_the_second_head(
    tmp_path: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    training, validation = training_data
    recipe = replace(RECIPE, weight_decay=0.0, average=0.0, epochs=1)
    run = Run(TINY, recipe, tmp_path, training, validation, np.zeros((len(training), 7), np.float32))
    before = run.model.get_layer(FERPLUS_HEAD).get_weights()
    next(run.epochs())
    for value, expected in zip(run.model.get_layer(FERPLUS_HEAD).get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("votes", [0.0, 1.0])
def test_recipe_and_votes_must_agree(votes: float, tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    shares = None if votes else np.zeros((len(training_data[0]), 7), np.float32)
    with pytest.raises(TrainingError, match="votes needs them"):
        Run(TINY, replace(RECIPE, votes=votes), tmp_path, *training_data, shares)


def test_parts_of_images_are_shown_until_the_last_fifth_of_the_epochs() -> None:
    recipe = Recipe(epochs=10, crop=40)
    assert [recipe.crop_at(epoch) for epoch in range(10)] == [40] * 8 + [48] * 2


def test_part_of_an_image_is_somewhere_in_it() -> None:
    image = np.arange(48 * 48, dtype=np.uint8).reshape(1, 48, 48, 1)
    parts = cropped(np.repeat(image, 200, axis=0), 40, np.random.default_rng(0))
    assert parts.shape == (200, 40, 40, 1)
    windows = np.lib.stride_tricks.sliding_window_view(image[0, ..., 0], (40, 40))
    known = {windows[place].tobytes(): place for place in np.ndindex(windows.shape[:2])}
    places = {known[part.tobytes()] for part in parts}
    assert {top for top, _ in places} == {left for _, left in places} == set(range(9))


def test_network_trained_on_parts_is_exported_for_whole_images(
    tmp_path: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    run = Run(TINY, replace(RECIPE, votes=0.0, average=0.0), tmp_path, *training_data)
    next(run.epochs())
    _, exported = run.best()
    assert exported.input_shape == (None, 48, 48, 1)
    images = training_data[1].images
    np.testing.assert_allclose(predict(exported, images), predict(run.model, images), atol=0.05)  # bfloat16


def test_network_for_one_size_refuses_parts(tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    with pytest.raises(TrainingError, match="takes images of 48 pixels a side only"):
        Run("paper", Recipe(crop=40), tmp_path, *training_data)
