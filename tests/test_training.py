"""A tiny training run: it learns, goes on where it stopped, and leaves a network that the classifier serves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from training.augmentation import MAX_SHIFT, augment
from training.datasets import Dataset
from training.errors import TrainingError
from training.evaluate import main as evaluate_main
from training.metrics import metrics
from training.schedule import Stage, learning_rate, parse_stages
from training.train import Run, Settings, load_data, main
from worker.classification import read_metadata
from worker.emotions import EMOTIONS
from worker.preprocessing import Preprocessing

# Few and quick steps; the tests stop before the wider stages.
TINY = Settings(stages="0.125:3,0.25:1,0.5:1,1:1", normalized=True, batch_size=16, peak_rate=2e-2)


@pytest.fixture(scope="module")
def data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like msambare/fer2013: a bright bar at a height that tells the emotion, in noise."""
    root: Path = tmp_path_factory.mktemp("fer2013")
    rng = np.random.default_rng(0)
    for label, emotion in enumerate(EMOTIONS):
        for split, place, count in (("Training", "train", 14), ("PublicTest", "test", 3)):
            (root / place / emotion).mkdir(parents=True)
            for number in range(count):
                grey = rng.integers(0, 100, (48, 48), dtype=np.uint8)
                grey[4 + 6 * label : 8 + 6 * label] += 150
                cv2.imwrite(str(root / place / emotion / f"{split}_{label}{number}.jpg"), grey)
    return root


@pytest.fixture(scope="module")
def data(data_path: Path) -> tuple[Dataset, Dataset]:
    return load_data(data_path, Preprocessing())


def without_seconds(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in history]


def some_epochs(run: Run, data: tuple[Dataset, Dataset], count: int) -> None:
    epochs: Iterator[dict[str, Any]] = run.epochs(*data)
    for _ in range(count):
        next(epochs)


def test_loss_falls_and_a_stopped_run_goes_on_exactly(tmp_path: Path, data: tuple[Dataset, Dataset]) -> None:
    undisturbed = Run(TINY, tmp_path / "undisturbed")
    some_epochs(undisturbed, data, 4)
    losses = [epoch["loss"] for epoch in undisturbed.history]
    assert losses[2] < 0.9 * losses[0]
    for epochs in (2, 2):  # stopped within a width; the next one is reached after resuming
        resumed = Run(TINY, tmp_path / "stopped")
        some_epochs(resumed, data, epochs)
    assert without_seconds(resumed.history) == without_seconds(undisturbed.history)
    for value, expected in zip(resumed.model.get_weights(), undisturbed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)
    images = data[1].images.astype(np.float32)
    exported, trained = (np.asarray(m.predict_on_batch(images)) for m in (resumed.plain(), resumed.model))
    np.testing.assert_allclose(exported, trained, atol=1e-5)


def test_command_leaves_a_network_whose_card_evaluate_confirms(
    tmp_path: Path, data_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "models" / "paper"
    settings = ["--stages", "1:1", "--normalized", "--batch-size", "16", "--images", "32"]
    assert main(["--data", str(data_path), "--output", str(output), *settings]) == 0
    metadata = read_metadata(output)
    assert metadata.parameters == 4_232_199
    assert metadata.trained["settings"]["stages"] == "1:1"
    assert main(["--data", str(data_path), "--output", str(output), "--seed", "1"]) == 2
    assert "belongs to a run with other settings" in capsys.readouterr().err
    assert evaluate_main(["--model", str(output), "--data", str(data_path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["images"] == 21
    assert figures == {key: value for key, value in metadata.validation.items() if key != "split"}


def test_images_that_are_also_in_public_test_are_dropped(data_path: Path, data: tuple[Dataset, Dataset]) -> None:
    leaked = data_path / "train" / "fear" / "Training_999.jpg"
    leaked.write_bytes((data_path / "test" / "fear" / "PublicTest_20.jpg").read_bytes())
    try:
        training, _ = load_data(data_path, Preprocessing())
    finally:
        leaked.unlink()
    assert training.names == data[0].names


def test_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="should be a checkpoint but can't be read; delete it"):
        Run(TINY, tmp_path)


def test_augmentation_mirrors_and_shifts_but_keeps_the_picture() -> None:
    column = np.zeros((200, 48, 48, 1), np.uint8)
    column[:, :, 10] = 255  # mirrored: 37
    changed = augment(column, np.random.default_rng(0))
    assert changed.shape == column.shape
    places = changed[:, 20, :, 0].argmax(axis=1)
    kept, mirrored = set(range(10 - MAX_SHIFT, 10 + MAX_SHIFT + 1)), set(range(37 - MAX_SHIFT, 37 + MAX_SHIFT + 1))
    assert set(places.tolist()) == kept | mirrored
    assert column[0, :, 10].all()


def test_stages_and_learning_rate() -> None:
    assert parse_stages(".25:4,0.5:6,1:2") == (Stage(0.25, 4), Stage(0.5, 6), Stage(1, 2))
    assert learning_rate(1e-3, 0.0, 99) == pytest.approx(1e-3)
    assert learning_rate(1e-3, 0.5, 49) == pytest.approx(0.25e-3)
    assert learning_rate(1e-3, 1.0, 500) == 0


@pytest.mark.parametrize("stages", ["", "1", "0.5:2", "0.5:1,0.75:1,1:1", "0.5:1,1:0", "a:b"])
def test_impossible_stages_are_refused(stages: str) -> None:
    with pytest.raises(TrainingError, match="stage"):
        parse_stages(stages)


def test_metrics_of_known_predictions() -> None:
    labels = np.array([0, 0, 3, 3], np.int64)
    probabilities = np.full((4, 7), 0.05, np.float32)
    probabilities[[0, 1, 2, 3], [0, 3, 3, 3]] = 0.7
    figures = metrics(probabilities, labels)
    assert figures["accuracy"] == 0.75
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert (figures["recall"]["angry"], figures["recall"]["happy"], figures["recall"]["sad"]) == (0.5, 1.0, None)
    assert figures["confusion_matrix"][0] == [1, 0, 0, 1, 0, 0, 0]
    assert figures["ece"] == pytest.approx(0.05, abs=1e-6)
    assert figures["images"] == 4
