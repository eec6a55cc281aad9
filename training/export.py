"""A trained network as the files that are served: models/<name>/ as worker.classification reads it."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from worker.classification import ARCHITECTURE, METADATA, WEIGHTS, model_version
from worker.emotions import EMOTIONS
from worker.preprocessing import Preprocessing


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
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / WEIGHTS).write_bytes(weights)
    (directory / ARCHITECTURE).write_bytes(architecture)
    write_metadata(directory, metadata)
    return metadata


def write_metadata(directory: Path, metadata: Mapping[str, Any]) -> None:
    """Writes metadata.json."""
    (directory / METADATA).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
