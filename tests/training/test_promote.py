"""A network is promoted only when it is at least as good and as fast as the served one."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_timeline.config import Settings
from emotion_timeline.faces.classification import (
    ARCHITECTURE,
    METADATA,
    WEIGHTS,
    Classifier,
    model_version,
    read_metadata,
)
from tests.services import REPOSITORY
from training.promote import SERVED, main, objections

PAPER = REPOSITORY / "models" / "paper"
Change = Callable[[list[np.ndarray]], None]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    shutil.copytree(PAPER, tmp_path / "models" / "paper")
    (tmp_path / "models" / SERVED).write_text("paper\n")
    return tmp_path / "models"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A fer2013.csv of soft noise, with the labels that the committed network gives, so that it is always right."""
    noise = np.random.default_rng(0).integers(-1000, 1256, (60, 48, 48)).astype(np.float32)
    faces = np.stack([cv2.GaussianBlur(n, (0, 0), 4).clip(0, 255).astype(np.uint8) for n in noise])
    labels = Classifier(PAPER).probabilities(faces[..., None]).argmax(axis=1)
    path = tmp_path / "fer2013.csv"
    rows = [f"{label},{' '.join(map(str, face.ravel()))},PublicTest" for label, face in zip(labels, faces, strict=True)]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    return path


def add_candidate(models: Path, change: Change) -> Path:
    """A copy of the committed network with other weights."""
    candidate = models / "candidate"
    shutil.copytree(PAPER, candidate)
    with np.load(PAPER / WEIGHTS) as arrays:
        values = [arrays[str(index)].copy() for index in range(len(arrays.files))]
    change(values)
    np.savez(candidate / WEIGHTS, **{str(index): value for index, value in enumerate(values)})
    weights, architecture = (candidate / WEIGHTS).read_bytes(), (candidate / ARCHITECTURE).read_bytes()
    metadata = json.loads((candidate / METADATA).read_text())
    metadata["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    metadata["version"] = model_version("paper", weights, architecture, metadata["preprocessing"])
    (candidate / METADATA).write_text(json.dumps(metadata))
    return candidate


def test_network_that_does_as_well_is_promoted(models: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def surer(values: list[np.ndarray]) -> None:
        values[-2] *= 2  # kernel and bias: the logits grow, exactly, and their order stays
        values[-1] *= 2

    candidate = add_candidate(models, surer)
    assert main([str(candidate), "--data", str(data)]) == 0
    assert Settings(models_dir=models).model == "candidate"
    output = capsys.readouterr().out
    assert read_metadata(PAPER).version in output and read_metadata(candidate).version in output
    assert main([str(candidate), "--data", str(data)]) == 2
    assert "is served already" in capsys.readouterr().err


def test_worse_network_is_not_promoted(models: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def always_disgust(values: list[np.ndarray]) -> None:
        values[-1][1] += 100

    candidate = add_candidate(models, always_disgust)
    assert main([str(candidate), "--data", str(data)]) == 1
    assert Settings(models_dir=models).model == "paper"
    assert "was not promoted. Its accuracy on PublicTest is 0.0" in capsys.readouterr().err


def test_each_shortcoming_speaks_against_a_network() -> None:
    served = {"accuracy": 0.6, "macro_f1": 0.5, "faces_per_s": 1000}
    assert objections(served, served | {"faces_per_s": 950}) == []
    assert objections(served, {"accuracy": 0.6, "macro_f1": 0.4999, "faces_per_s": 2000}) == [
        "Its macro-F1 on PublicTest is 0.4999, less than 0.5000."
    ]
    assert objections(served, {"accuracy": 0.59, "macro_f1": 0.6, "faces_per_s": 800}) == [
        "Its accuracy on PublicTest is 0.5900, less than 0.6000.",
        "It classifies 800 faces/s, fewer than 1000.",
    ]


def test_worse_agreement_with_the_raters_speaks_against_a_network() -> None:
    served = {"accuracy": 0.6, "macro_f1": 0.5, "majority": 0.8, "share_error": 0.2, "faces_per_s": 1000}
    assert objections(served, served) == []
    assert objections(served, served | {"majority": 0.79, "share_error": 0.21}) == [
        "Its agreement with FER+'s majority on PublicTest is 0.7900, less than 0.8000.",
        "Its share error on PublicTest is 0.2100, more than 0.2000.",
    ]


def test_missing_record_of_the_served_network_is_told(
    models: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models / SERVED).unlink()
    assert main([str(models / "paper"), "--data", str(data)]) == 2
    assert "served.txt should name the folder" in capsys.readouterr().err
