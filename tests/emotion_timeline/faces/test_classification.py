"""The served network: its files, its answers, and its refusal of files that do not belong together."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import ModelError
from emotion_timeline.faces.classification import Classifier, in_bfloat16, model_version, read_metadata, read_network
from emotion_timeline.faces.preprocessing import Preprocessing
from emotion_timeline.labels import Labels
from training.data.datasets import load
from training.evaluate import main as evaluate_main

pytestmark = pytest.mark.tensorflow
MODELS = Path(__file__).parents[3] / "models"
NETWORKS = sorted(MODELS.glob("*/"))
PAPER = MODELS / "paper"
FER2013 = Path(__file__).parents[4] / "shared" / "data" / "fer2013.zip"


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda folder: folder.name)
def committed(request: pytest.FixtureRequest) -> Path:
    """The folder of each network that comes with the project."""
    folder: Path = request.param
    return folder


@pytest.fixture(scope="module")
def classifier(committed: Path) -> Classifier:
    return Classifier(committed, batch_size=16)


@pytest.fixture(scope="module")
def crops() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (37, 48, 48, 1), dtype=np.uint8)


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """A copy of the network that a test may damage."""
    return Path(shutil.copytree(PAPER, tmp_path / "paper"))


@pytest.mark.parametrize("n", [0, 1, 7, 16, 37])
def test_any_number_of_crops_gets_probabilities_that_sum_to_1(
    classifier: Classifier, crops: NDArray[np.uint8], n: int
) -> None:
    probabilities = classifier.probabilities(crops[:n])
    assert probabilities.shape == (n, 7)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_each_set_of_labels_is_the_answer_of_its_head(crops: NDArray[np.uint8]) -> None:
    usual = Classifier(MODELS / "residual", batch_size=16)
    first, second = usual.answers(crops)
    version = read_metadata(MODELS / "residual").version
    for classifier, answer, labels in (
        (usual, second, "ferplus"),
        (usual.giving(Labels.FER2013), first, "fer2013"),
        (Classifier(MODELS / "residual", 16, Labels.FER2013), first, "fer2013"),
    ):
        np.testing.assert_array_equal(classifier.probabilities(crops), answer)
        assert classifier.version == f"{version}-{labels}"


def test_labels_that_a_network_has_not_learnt_are_refused(model_dir: Path) -> None:
    assert Classifier(model_dir).version == read_metadata(model_dir).version  # quietly FER2013's, and the only ones
    with pytest.raises(ModelError, match=r"ferplus were asked for, but the network paper-\w+ gives fer2013 only\. Ask"):
        Classifier(model_dir, labels=Labels.FERPLUS)


def test_padding_and_neighbours_do_not_change_an_answer(classifier: Classifier, crops: NDArray[np.uint8]) -> None:
    together = classifier.probabilities(crops)
    alone = np.concatenate([classifier.probabilities(crops[i : i + 1]) for i in (0, 15, 16, 36)])
    np.testing.assert_allclose(alone, together[[0, 15, 16, 36]], atol=1e-5)


def test_same_crops_get_the_same_bits_also_from_another_classifier(
    classifier: Classifier, committed: Path, crops: NDArray[np.uint8]
) -> None:
    first = classifier.probabilities(crops)
    np.testing.assert_array_equal(classifier.probabilities(crops), first)
    np.testing.assert_array_equal(Classifier(committed, batch_size=16).probabilities(crops), first)


def test_importing_the_module_and_reading_metadata_load_no_keras() -> None:
    code = (
        "import sys, pathlib; from emotion_timeline.faces.classification import read_metadata; "
        f"read_metadata(pathlib.Path({str(PAPER)!r})); "
        "sys.exit(bool({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=PAPER.parent.parent, check=False).returncode == 0


def test_paper_network_has_the_papers_parameters() -> None:
    assert read_metadata(PAPER).parameters == 4_232_199


def test_served_network_is_committed() -> None:
    assert (MODELS / (MODELS / "served.txt").read_text().strip() / "weights.npz").is_file()


def test_committed_network_describes_itself(classifier: Classifier, committed: Path) -> None:
    metadata = read_metadata(committed)
    assert metadata.emotions == EMOTIONS
    assert metadata.network.version_by(metadata.network.chosen(None)) == classifier.version
    assert metadata.version.startswith(f"{committed.name}-")
    assert Preprocessing.from_metadata(classifier.preprocessing).size == 48
    assert metadata.validation["split"] == "PublicTest"
    assert metadata.validation["accuracy"] > 0.55


@pytest.mark.skipif(not FER2013.exists(), reason="FER2013 is not at ../shared/data")
def test_committed_network_recognises_emotions_in_fer2013(classifier: Classifier) -> None:
    data = load(FER2013, "PublicTest", Preprocessing.from_metadata(classifier.preprocessing))
    sample = data.select(np.arange(0, len(data), 12))
    correct = classifier.probabilities(sample.images).argmax(axis=1) == sample.labels
    assert correct.mean() > 0.48  # 300 images: over three standard errors below 0.57
    assert correct[sample.labels == EMOTIONS.index("happy")].mean() > 0.6


def test_bfloat16_moves_no_probability_by_more_than_a_hundredth(committed: Path, crops: NDArray[np.uint8]) -> None:
    weights, architecture = read_network(committed)
    answers = []
    for text in (architecture, in_bfloat16(architecture)):
        model = keras.models.model_from_json(text)
        model.set_weights(weights)
        found = model.predict_on_batch(crops[:8].astype(np.float32))
        answers.append(np.asarray(found[0] if isinstance(found, list) else found))
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.compute_dtype for layer in convolutions[:2]] == ["float32", "bfloat16"]
    assert 0 < np.abs(answers[1] - answers[0]).max() < 1e-2


def _flip_a_byte(directory: Path) -> None:
    weights = bytearray((directory / "weights.npz").read_bytes())
    weights[len(weights) // 2] ^= 1
    (directory / "weights.npz").write_bytes(weights)


def _edit(name: str, edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(directory: Path) -> None:
        content = json.loads((directory / name).read_text())
        edit(content)
        (directory / name).write_text(json.dumps(content))

    return apply


def _replace_weights_consistently(directory: Path) -> None:
    """Weights of another network, with the hashes to match."""
    weights_of_another: dict[str, Any] = {"0": np.zeros((3, 3), np.float16)}
    with (directory / "weights.npz").open("wb") as file:
        np.savez(file, **weights_of_another)
    metadata = json.loads((directory / "metadata.json").read_text())
    weights, architecture = ((directory / name).read_bytes() for name in ("weights.npz", "architecture.json"))
    metadata["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    metadata["version"] = model_version("paper", weights, architecture, metadata["preprocessing"])
    (directory / "metadata.json").write_text(json.dumps(metadata))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (shutil.rmtree, "There should be a model in"),
        (lambda d: (d / "metadata.json").unlink(), "There should be a model in"),
        (lambda d: (d / "metadata.json").write_text("{"), "is damaged or of another version"),
        (lambda d: (d / "metadata.json").write_text("[]"), "is damaged or of another version"),
        (_edit("metadata.json", lambda m: m.pop("version")), "is damaged or of another version"),
        (_edit("metadata.json", lambda m: m["emotions"].reverse()), "should tell apart angry, disgust"),
        (_edit("metadata.json", lambda m: m["preprocessing"].update(size=64)), "should make up version paper-"),
        (_edit("architecture.json", lambda a: a.update(module="other")), "should make up version paper-"),
        (_edit("metadata.json", lambda m: m.update(labels=["votes"])), "is damaged or of another version"),
        (_edit("metadata.json", lambda m: m.update(labels=["fer2013", "ferplus"])), "should have a head for each of"),
        (lambda d: (d / "weights.npz").unlink(), "is not complete"),
        (_flip_a_byte, "should have the SHA-256"),
        (_replace_weights_consistently, "do not fit"),
    ],
)
def test_damaged_model_is_refused_with_a_sentence(
    model_dir: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    damage(model_dir)
    with pytest.raises(ModelError, match=sentence):
        Classifier(model_dir)


@pytest.mark.skipif(not FER2013.exists(), reason="FER2013 is not at ../shared/data")
def test_evaluate_refuses_an_absent_split_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", str(PAPER), "--data", str(FER2013), "--split", "PrivateTest", "--json"]
    assert evaluate_main(arguments) == 2
    captured = capsys.readouterr()
    assert "holds no image of the split PrivateTest" in captured.err
    assert captured.out == ""


@pytest.fixture(scope="module")
def answers_of_jax(crops: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every committed network's probabilities as Keras computes them on JAX."""
    folder = tmp_path_factory.mktemp("jax")
    np.save(folder / "crops.npy", crops)
    command = (
        "import sys, numpy, keras; from pathlib import Path; "
        "from emotion_timeline.faces.classification import Classifier; "
        "folder, *models = map(Path, sys.argv[1:]); assert keras.backend.backend() == 'jax'; "
        "crops = numpy.load(folder / 'crops.npy'); "  # one size of batches, each compiled anew; the last is padded
        "[numpy.save(folder / m.name, Classifier(m, batch_size=8).probabilities(crops)) for m in models]"
    )
    quick = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}
    environment = os.environ | quick | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", command, folder, *NETWORKS], cwd=MODELS.parent, env=environment, check=True)
    return folder


def test_another_backend_gives_the_same_probabilities(
    classifier: Classifier, committed: Path, crops: NDArray[np.uint8], answers_of_jax: Path
) -> None:
    found = np.load(answers_of_jax / f"{committed.name}.npy")
    np.testing.assert_allclose(found, classifier.probabilities(crops), atol=1e-3)
