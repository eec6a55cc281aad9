"""A trained network as the files that are served: models/<name>/ as emotion_timeline.faces.classification reads it."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces.classification import ARCHITECTURE, METADATA, WEIGHTS, model_version
from emotion_timeline.faces.preprocessing import Preprocessing
from emotion_timeline.labels import Labels

HEADS = (Labels.FER2013, Labels.FERPLUS)
"""Whose labels each head of a network gives, in their order."""


def export(
    model: Any, name: str, directory: Path, preprocessing: Preprocessing, trained: Mapping[str, Any]
) -> dict[str, Any]:
    """Writes weights (half precision), architecture and metadata; the last says nothing yet about validation.

    Args:
        model: the network, in float32.
        name: of the network; the first part of its version.
        directory: models/<name>; made where it is missing.
        preprocessing: how the training images were made.
        trained: how the network was made, for the record.

    Returns:
        The metadata written.
    """
    buffer = io.BytesIO()
    halves = {str(index): value.astype(np.float16) for index, value in enumerate(model.get_weights())}
    np.savez(buffer, **halves)
    weights = buffer.getvalue()
    architecture = (json.dumps(json.loads(model.to_json()), indent=1) + "\n").encode()
    settings = preprocessing.to_metadata()
    metadata = {
        "name": name,
        "version": model_version(name, weights, architecture, settings),
        "emotions": list(EMOTIONS),
        "parameters": model.count_params(),
        "preprocessing": settings,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "trained": dict(trained),
        "validation": {},
        "labels": [str(labels) for labels in HEADS[: len(model.outputs)]],
    }
    directory.mkdir(parents=True, exist_ok=True)
    _replace(directory / WEIGHTS, weights)
    _replace(directory / ARCHITECTURE, architecture)
    write_metadata(directory, metadata)
    return metadata


def write_metadata(directory: Path, metadata: Mapping[str, Any]) -> None:
    """Writes metadata.json."""
    _replace(directory / METADATA, (json.dumps(metadata, indent=2) + "\n").encode())


def _replace(path: Path, content: bytes) -> None:
    """Changes a file whole: a worker may be reading it."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)
