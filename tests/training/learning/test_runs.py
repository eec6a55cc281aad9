"""A small training run: it learns, goes on where it stopped, and leaves a network that the classifier serves."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from emotion_timeline.faces.classification import Classifier, read_metadata
from emotion_timeline.faces.preprocessing import Preprocessing
from tests.networks import TINY
from tests.services import REPOSITORY
from training import networks
from training.data.datasets import Dataset
from training.errors import TrainingError
from training.evaluate import main as evaluate_main
from training.evaluate import refuse_known_faces
from training.learning import checkpoint
from training.learning.run import Run, predict
from training.recipe import Recipe, Schedule
from training.train import load_data, main

PAPER = REPOSITORY / "models" / "paper"
RECIPE = Recipe(epochs=4, batch_size=16, augmentation="none")


def without_seconds(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in history]


def some_epochs(run: Run, count: int) -> None:
    epochs: Iterator[dict[str, Any]] = run.epochs()
    for _ in range(count):
        next(epochs)


def test_loss_falls_and_a_stopped_run_goes_on_exactly(tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    recipe = replace(RECIPE, augmentation="video")
    undisturbed = Run(TINY, recipe, tmp_path / "undisturbed", *training_data)
    some_epochs(undisturbed, 3)
    losses = [epoch["loss"] for epoch in undisturbed.history]
    assert losses[2] < 0.95 * losses[0]
    for epochs in (1, 2):
        resumed = Run(TINY, recipe, tmp_path / "stopped", *training_data)
        some_epochs(resumed, epochs)
    assert without_seconds(resumed.history) == without_seconds(undisturbed.history)
    for value, expected in zip(resumed.model.get_weights(), undisturbed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)
    best = max(resumed.history, key=lambda epoch: epoch["validation_accuracy"])
    assert resumed.best()[0] == best


def test_a_run_that_is_stopped_before_its_checkpoint_keeps_the_best_of_its_history(
    tmp_path: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    recipe = replace(networks.recipe(TINY), epochs=30, batch_size=16, votes=0.0, average=0.0, mixup=0.0, rate=0.02)
    run = Run(TINY, recipe, tmp_path, *training_data)
    some_epochs(run, 1)
    (tmp_path / "checkpoint.partial").mkdir()  # in the way of the next checkpoint, and of nothing before it
    stopped_at = 0
    while not (tmp_path / checkpoint.NEXT_BEST_FILE_NAME).exists() and stopped_at < 20:
        with pytest.raises(IsADirectoryError):
            some_epochs(run, 1)
        stopped_at += 1
    assert (tmp_path / checkpoint.NEXT_BEST_FILE_NAME).exists(), "an epoch was better, or nothing was tried"
    (tmp_path / "checkpoint.partial").rmdir()
    resumed = Run(TINY, recipe, tmp_path, *training_data)
    assert len(resumed.history) == 1
    assert resumed.best()[0] == resumed.history[0]


def test_averaged_weights_are_measured_and_exported_and_training_goes_on_from_the_others(
    tmp_path: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    recipe = replace(networks.recipe(TINY), epochs=3, batch_size=16, average=0.5, votes=0.0, crop=48)
    undisturbed = Run(TINY, recipe, tmp_path / "undisturbed", *training_data)
    some_epochs(undisturbed, 2)
    resumed = Run(TINY, recipe, tmp_path / "stopped", *training_data)
    some_epochs(resumed, 1)
    resumed = Run(TINY, recipe, tmp_path / "stopped", *training_data)
    some_epochs(resumed, 1)
    assert without_seconds(resumed.history) == without_seconds(undisturbed.history)
    record, averaged = undisturbed.best()
    predictions = predict(averaged, training_data[1].images).argmax(axis=1)
    assert (predictions == training_data[1].labels).mean() == record["validation_accuracy"]
    kernels = [model.get_layer("stem_a").get_weights()[0] for model in (averaged, undisturbed.model)]
    assert np.abs(kernels[0] - kernels[1]).max() > 0


def test_command_leaves_a_network_with_a_report_that_evaluate_confirms(
    tmp_path: Path, training_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "models" / TINY
    command = ["--data", str(training_images), "--output", str(output), "--batch-size", "16", "--images", "64"]
    command += ["--network", TINY, "--votes", "0", "--schedule", "constant", "--denoise", "median", "--scaling=-1..1"]
    assert main([*command, "--epochs", "1"]) == 0
    metadata = read_metadata(output)
    assert metadata.parameters == networks.build(TINY).count_params()
    assert (metadata.preprocessing["denoise"], metadata.preprocessing["scaling"]) == ("median", "-1..1")
    assert metadata.trained["recipe"]["epochs"] == len(metadata.trained["epochs"]) == 1
    assert [making["epoch"] for making in metadata.trained["made_with"]] == [1]
    assert metadata.trained["left_out"]["held_out"] == ["PublicTest"]
    for plot in ("curves.png", "confusion.png", "reliability.png"):
        assert cv2.imread(str(output / plot)) is not None
        assert f"({plot})" in (output / "README.md").read_text()
    assert f"{metadata.validation['accuracy']:.2%}" in (output / "README.md").read_text()
    capsys.readouterr()
    assert evaluate_main(["--model", str(output), "--data", str(training_images), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["images"] == 21
    assert figures.items() <= metadata.validation.items()

    assert main([*command, "--epochs", "2"]) == 0  # more epochs: the run goes on
    assert [epoch["epoch"] for epoch in read_metadata(output).trained["epochs"]] == [1, 2]
    assert main([*command, "--epochs", "2", "--seed", "1"]) == 2
    assert "belongs to another run: it differs in seed." in capsys.readouterr().err


def test_accuracy_against_ferplus_is_over_the_images_that_it_decides(
    tmp_path: Path, training_data: tuple[Dataset, Dataset], training_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions = Classifier(PAPER).probabilities(training_data[1].images).argmax(axis=1)
    names = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt", "unknown", "NF")
    rows = [",".join(["image", "usage", "fer2013_label", *names])]
    for number, (name, prediction) in enumerate(zip(training_data[1].names, predictions.tolist(), strict=True)):
        voted = prediction if number < 8 else (prediction + 1) % 7 if number < 10 else names.index("unknown")
        path = Path(name)
        votes = ["10" if place == voted else "0" for place in range(10)]
        rows.append(",".join([path.name, "PublicTest", path.parent.name, *votes]))
    (tmp_path / "votes.csv").write_text("\n".join(rows))
    command = [
        "--model",
        str(PAPER),
        "--data",
        str(training_images),
        "--ferplus",
        str(tmp_path / "votes.csv"),
        "--json",
    ]
    assert evaluate_main(command) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["ferplus_images"], figures["ferplus_accuracy"]) == (10, 0.8)


def test_split_can_be_evaluated_where_it_is_alone(
    tmp_path: Path, training_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sad").mkdir()
    shutil.copy(training_images / "test" / "sad" / "PublicTest_40.jpg", tmp_path / "sad" / "PrivateTest_40.jpg")
    command = ["--model", str(PAPER), "--data", str(tmp_path), "--split", "PrivateTest", "--json"]
    assert evaluate_main(command) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 1


def test_run_killed_in_an_epoch_loses_that_epoch_only(
    tmp_path: Path, training_images: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    train = "import sys, tests.networks; from training.train import main; sys.exit(main())"
    command = [sys.executable, "-c", train, "--data", str(training_images), "--output", str(tmp_path)]
    options = ["--network", TINY, "--epochs", "1000", "--batch-size", "16", "--votes", "0"]
    process = subprocess.Popen([*command, *options], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            if "epoch 2:" in line:
                process.kill()
    state = checkpoint.read_state(tmp_path / checkpoint.FILE_NAME)
    assert state is not None and len(state["history"]) >= 2
    recipe = replace(networks.recipe(TINY), epochs=1000, batch_size=16, votes=0.0)
    assert len(Run(TINY, recipe, tmp_path, *training_data).history) == len(state["history"])


def test_images_that_are_also_in_public_test_are_dropped(
    training_images: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    leaked = training_images / "train" / "fear" / "Training_999.jpg"
    leaked.write_bytes((training_images / "test" / "fear" / "PublicTest_20.jpg").read_bytes())
    try:
        faces = load_data(training_images, Preprocessing())
    finally:
        leaked.unlink()
    assert faces.training.names == training_data[0].names
    assert set(faces.original.names) - set(faces.training.names) == {"train/fear/Training_999.jpg"}
    assert faces.cleaned.held_out_copies == 1


def test_private_test_is_kept_out_of_training(training_images: Path, training_data: tuple[Dataset, Dataset]) -> None:
    private = training_images / "test" / "sad" / "PrivateTest_1.jpg"
    private.write_bytes((training_images / training_data[0].names[5]).read_bytes())
    try:
        faces = load_data(training_images, Preprocessing())
    finally:
        private.unlink()
    assert set(training_data[0].names) - set(faces.training.names) == {training_data[0].names[5]}
    assert faces.validation_split == "PublicTest"


def test_papers_split_is_trained_on_where_the_data_has_it(training_images: Path, tmp_path: Path) -> None:
    for split, place in (("train", "train"), ("test", "validation")):
        shutil.copytree(training_images / split, tmp_path / "images" / place)
    for number, path in enumerate(sorted(tmp_path.rglob("*.jpg"))):
        path.rename(path.with_name(f"{number}.jpg"))
    faces = load_data(tmp_path, Preprocessing(), images=50)
    assert (faces.training_split, faces.validation_split) == ("train", "validation")
    assert (len(faces.original), len(faces.training), len(faces.validation)) == (280, 50, 21)


@pytest.mark.parametrize("left", [0, 100, 40_000])
def test_damaged_checkpoint_is_refused(left: int, tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    path = tmp_path / checkpoint.FILE_NAME
    checkpoint.save(path, {"history": []}, [np.zeros(20_000)])
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(TrainingError, match="should be a checkpoint but can't be read; delete it"):
        Run(TINY, RECIPE, tmp_path, *training_data)


def test_checkpoint_of_another_network_is_refused(tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    run = Run(TINY, RECIPE, tmp_path, *training_data)
    some_epochs(run, 1)
    with pytest.raises(TrainingError, match="is of another version of this network"):
        checkpoint.restore(run.path, run.model.variables)


def test_run_goes_on_with_its_own_images_only(tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    some_epochs(Run(TINY, RECIPE, tmp_path, *training_data), 1)
    with pytest.raises(TrainingError, match=r"belongs to another run: it differs in data\."):
        Run(TINY, RECIPE, tmp_path, training_data[0].select(np.arange(100)), training_data[1])


@pytest.mark.parametrize(("schedule", "epochs", "allowed"), [("constant", 9, 1), ("constant", 1, 0), ("cosine", 9, 0)])
def test_epochs_can_be_added_where_the_learning_rate_does_not_depend_on_them(
    schedule: Schedule, epochs: int, allowed: bool, tmp_path: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    few = (training_data[0].thinned(32), training_data[1].thinned(32))
    recipe = replace(RECIPE, schedule=schedule)
    some_epochs(Run(TINY, recipe, tmp_path, *few), 2)
    with nullcontext() if allowed else pytest.raises(TrainingError, match=r"it differs in epochs\."):
        assert len(Run(TINY, replace(recipe, epochs=epochs), tmp_path, *few).history) == 2


def test_best_network_of_another_run_is_not_exported(tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    some_epochs(Run(TINY, RECIPE, tmp_path, *training_data), 1)
    (tmp_path / checkpoint.FILE_NAME).unlink()
    with pytest.raises(TrainingError, match="no epoch of it is done yet"):
        Run(TINY, replace(RECIPE, seed=1), tmp_path, *training_data).best()


def test_network_is_not_measured_on_images_that_it_may_know() -> None:
    metadata = read_metadata(PAPER)
    on_the_papers_split = replace(metadata, trained={**metadata.trained, "split": "train"})
    refuse_known_faces(metadata, "PrivateTest")
    refuse_known_faces(on_the_papers_split, "validation")
    with pytest.raises(TrainingError, match=r"trained on the split train, .* Measure it on validation"):
        refuse_known_faces(on_the_papers_split, "PublicTest")


def test_run_without_an_epoch_has_nothing_to_export(
    tmp_path: Path, training_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(training_images), "--output", str(tmp_path), "--export-only"]) == 2
    assert "no epoch of it is done yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epochs": 0}, "must be 1 or more, found 0"),
        ({"rate": 0.0}, "learning rate must be above 0, found 0.0"),
        ({"average": 1.0}, "average must be from 0 to below 1, found 1.0"),
        ({"mixup": -0.1}, "mixup must be 0 or more, found -0.1"),
        ({"optimizer": "lion"}, "optimizer must be one of adam, sgd, found 'lion'"),
        ({"schedule": "linear"}, "schedule must be one of constant, cosine, found 'linear'"),
        ({"augmentation": "strong"}, "no augmentation 'strong'; choose one of: none, paper, mild, video, erasing"),
        ({"label_smoothing": 1.0}, "label_smoothing must be from 0 to below 1"),
    ],
)
def test_impossible_recipe_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        Recipe(**changes)


def test_learning_rate_follows_its_schedule() -> None:
    assert Recipe(rate=1e-3, schedule="constant").rate_at(73.2) == 1e-3
    cosine = Recipe(rate=1e-3, schedule="cosine", epochs=100)
    assert cosine.rate_at(0) < 2e-5
    assert cosine.rate_at(50) == pytest.approx(0.5e-3)
    assert cosine.rate_at(100) == 0


def test_the_command_trains_the_papers_network_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "; default: paper" in " ".join(capsys.readouterr().out.split())
