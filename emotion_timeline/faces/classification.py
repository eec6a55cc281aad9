"""Face crops -> probabilities of the seven emotions, by the Keras network in a folder under models/.

Keras, and with it TensorFlow, is imported when the first Classifier is made, not when this module is: the web process
and the parent of forked workers stay free of it. Only backend-neutral calls, so that KERAS_BACKEND=torch or jax serve
as well. Batches are padded to a few fixed sizes, so that the backend traces as few graphs.
"""

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import ModelError
from emotion_timeline.labels import Labels, Network
from emotion_timeline.labels import read as read_labels

WEIGHTS = "weights.npz"
ARCHITECTURE = "architecture.json"
METADATA = "metadata.json"

_SMALL_BATCHES = (1, 8)  # for the rest after the full batches

_REMEDY = "Restore the model's folder from the release, or export the network again."


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What metadata.json says about a network.

    Attributes:
        name, version: the version is the name and the first 8 hex digits of model_version's hash.
        emotions: order of the network's outputs.
        parameters: number of weights.
        preprocessing: see emotion_timeline.faces.preprocessing.Preprocessing.from_metadata.
        weights_sha256: of the file weights.npz.
        trained, validation: how the network was made and what it reaches, for people.
        labels: whose labels each head gives; FER2013's alone where the file says nothing.
    """

    name: str
    version: str
    emotions: tuple[str, ...]
    parameters: int
    preprocessing: dict[str, Any]
    weights_sha256: str
    trained: dict[str, Any]
    validation: dict[str, Any]
    labels: tuple[Labels, ...] = (Labels.FER2013,)

    @property
    def network(self) -> Network:
        """Version and labels."""
        return Network(self.version, self.labels)


def read_metadata(model_dir: Path) -> ModelMetadata:
    """Reads metadata.json; imports no Keras.

    Raises:
        ModelError: the file is missing, damaged, or of a network for other emotions.
    """
    path = model_dir / METADATA
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        labels = read_labels(fields.get("labels", ["fer2013"]))
        metadata = ModelMetadata(**{**fields, "emotions": tuple(fields["emotions"]), "labels": labels})
    except OSError as exc:
        raise ModelError(f"There should be a model in {model_dir}, but {path} can't be read. {_REMEDY}") from exc
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ModelError(f"{path} is damaged or of another version: {exc}. {_REMEDY}") from exc
    if metadata.emotions != EMOTIONS:
        raise ModelError(
            f"The network in {model_dir} should tell apart {', '.join(EMOTIONS)} in this order, "
            f"but {METADATA} lists {', '.join(metadata.emotions)}. {_REMEDY}"
        )
    return metadata


def model_version(name: str, weights: bytes, architecture: bytes, preprocessing: Mapping[str, Any]) -> str:
    """The name and 8 hex digits that change with anything that changes a probability, like paper-1f2e3d4c."""
    settings = json.dumps(preprocessing, sort_keys=True).encode()
    return f"{name}-{hashlib.sha256(weights + architecture + settings).hexdigest()[:8]}"


class Classifier:
    """A loaded network. Make it in the process that uses it, after any fork."""

    def __init__(self, model_dir: Path, batch_size: int = 32, labels: Labels | None = None) -> None:
        """Loads and verifies the network and runs it once.

        Args:
            model_dir: a folder with weights.npz, architecture.json and metadata.json.
            batch_size: crops per pass through the network.
            labels: whose labels to give; see emotion_timeline.labels.Network.chosen.

        Raises:
            ModelError: a file is missing, damaged, or does not belong to the others, or the network doesn't give those
                labels.
        """
        self._metadata = read_metadata(model_dir)
        self._labels = self._metadata.network.chosen(labels)
        self._batch_size = batch_size
        weights, architecture = read_network(model_dir)
        self._model = _build(model_dir, weights, architecture)
        if len(self._model.outputs) < len(self._metadata.labels):
            raise ModelError(
                f"The network in {model_dir} should have a head for each of {', '.join(self._metadata.labels)}, "
                f"but has {len(self._model.outputs)}. {_REMEDY}"
            )
        self.probabilities(np.zeros((1, *self._model.input_shape[1:]), np.uint8))  # traces; a fault shows now

    @property
    def version(self) -> str:
        """Names the network, and whose labels it gives where it has more, in every row that it makes."""
        return self._metadata.network.version_by(self._labels)

    def giving(self, labels: Labels) -> "Classifier":
        """The same network, loaded once, with these labels.

        Raises:
            ModelError: it doesn't give them.
        """
        other = copy.copy(self)
        other._labels = self._metadata.network.chosen(labels)
        return other

    @property
    def preprocessing(self) -> dict[str, Any]:
        """How crops must be made; for emotion_timeline.faces.preprocessing.Preprocessing.from_metadata."""
        return self._metadata.preprocessing

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Classifies face crops.

        Args:
            crops: uint8 (n, 48, 48, 1), 0-255, n >= 0, as emotion_timeline.faces.preprocessing makes them.

        Returns:
            float32 (n, 7) in the order of EMOTIONS; each row sums to 1. The same crops in the same order give the same
            bits.
        """
        served: NDArray[np.float32] = self.answers(crops)[self._metadata.labels.index(self._labels)]
        return served

    def answers(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What each head of the network answers, one pass for all.

        Args:
            crops: as for probabilities.

        Returns:
            float32 (heads, n, 7), rows as of probabilities: the first head answers with FER2013's labels, a second one
            as FER+'s raters would.
        """
        size = self._batch_size
        result = np.empty((len(self._model.outputs), len(crops), len(EMOTIONS)), np.float32)
        for start in range(0, len(crops), size):
            part = crops[start : start + size]
            batch = np.zeros((self._padded_size(len(part)), *crops.shape[1:]), np.float32)
            batch[: len(part)] = part
            found = self._model.predict_on_batch(batch)
            for head, probabilities in enumerate(found if isinstance(found, list) else [found]):
                result[head, start : start + size] = np.asarray(probabilities, np.float32)[: len(part)]
        result /= result.sum(axis=-1, keepdims=True)
        return result

    def _padded_size(self, crops: int) -> int:
        return min(size for size in (*_SMALL_BATCHES, self._batch_size) if size >= crops)


def read_network(model_dir: Path) -> tuple[list[NDArray[np.float32]], str]:
    """The weights in the network's order, and its architecture as JSON, both as they were exported; imports no Keras.

    Raises:
        ModelError: a file is missing, damaged, or does not belong to the others.
    """
    metadata = read_metadata(model_dir)
    try:
        weights, architecture = ((model_dir / name).read_bytes() for name in (WEIGHTS, ARCHITECTURE))
    except OSError as exc:
        raise ModelError(f"The model in {model_dir} is not complete: {exc}. {_REMEDY}") from exc
    found = hashlib.sha256(weights).hexdigest()
    if found != metadata.weights_sha256:
        raise ModelError(
            f"{model_dir / WEIGHTS} should have the SHA-256 {metadata.weights_sha256}, but has {found}. {_REMEDY}"
        )
    version = model_version(metadata.name, weights, architecture, metadata.preprocessing)
    if version != metadata.version:
        raise ModelError(
            f"The files in {model_dir} should make up version {metadata.version}, but make up {version}: "
            f"{ARCHITECTURE} or the preprocessing in {METADATA} was changed. {_REMEDY}"
        )
    try:
        with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
            values = [arrays[str(index)].astype(np.float32) for index in range(len(arrays.files))]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as exc:
        raise ModelError(f"{model_dir / WEIGHTS} should hold arrays numbered from 0: {exc}. {_REMEDY}") from exc
    return values, architecture.decode()


def _build(model_dir: Path, weights: list[NDArray[np.float32]], architecture: str) -> Any:
    """The network, as fast as this machine can compute it."""
    keras = _import_keras()
    from emotion_timeline.faces import folding, hardware, winograd

    half = hardware.has_matrix_units() and not hardware.has_accelerator()
    try:
        model = keras.models.model_from_json(_unfilled(in_bfloat16(architecture) if half else architecture))
        model.set_weights(weights)
    except (ValueError, TypeError, KeyError) as exc:
        raise ModelError(f"The weights in {model_dir} do not fit {ARCHITECTURE}: {exc}. {_REMEDY}") from exc
    model = folding.fold(model)
    return winograd.rewrite(model, frozen=True) if winograd.pays_off() else model


def _unfilled(architecture: str) -> str:
    """A network's JSON whose weights begin as zeros. They are set at once, and to draw random ones before, as the JSON
    says for training, takes longer than all else: with JAX, which compiles it for every shape, half a minute."""
    zeros: dict[str, Any] = {
        "module": "keras.initializers",
        "class_name": "Zeros",
        "config": {},
        "registered_name": None,
    }

    def unfilled(fields: dict[str, Any]) -> dict[str, Any]:
        return {name: zeros if name.endswith("_initializer") else value for name, value in fields.items()}

    return json.dumps(json.loads(architecture, object_hook=unfilled))


def in_bfloat16(architecture: str) -> str:
    """A sequential network's JSON, changed so that its convolutions multiply in bfloat16, for CPUs with AMX.

    The first convolution, which costs little, the dense layers and all weights stay in float32. On 300 images of
    PublicTest no probability moved by more than 0.003; with every layer in bfloat16 some moved by 0.008.
    """
    fields = json.loads(architecture)
    convolutions = [layer for layer in fields["config"]["layers"] if layer["class_name"] == "Conv2D"]
    for layer in convolutions[1:]:
        layer["config"]["dtype"] = "mixed_bfloat16"
    return json.dumps(fields)


def _import_keras() -> Any:
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # TensorFlow would take the whole GPU at its first use; other processes need some of it.
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
    return keras
