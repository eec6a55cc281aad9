"""Which networks find faces and tell them apart, told from their files alone, without loading them."""

import hashlib
from pathlib import Path

from emotion_timeline.errors import ModelError

PACKAGED_FILE = "face_detection_yunet_2023mar.onnx"
PACKAGED_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
EMBEDDER_FILE = "face_recognition_sface_2021dec.onnx"
EMBEDDER_SHA256 = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"
_DIGITS = 8  # of the hash, in a version


def detector_version(path: Path | None) -> str:
    """Return the name of a detector's file and the beginning of its SHA-256, such as face_detection_yunet-8f2383e4.

    Args:
        path: of the file; None for the packaged one, whose hash is verified where it is loaded.

    Raises:
        ModelError: the file can't be read.
    """
    if path is None:
        return PACKAGED
    try:
        with path.open("rb") as file:
            return _version(path.name, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as exc:
        raise ModelError(
            f"The face detector {path} can't be read ({exc.strerror}). Correct TIMELINE_DETECTOR_PATH or empty it."
        ) from exc


def embedder_version(persons: bool) -> str:
    """Return the version of the network that tells faces apart; empty where they aren't told apart.

    Args:
        persons: whether they are to be.
    """
    return EMBEDDER if persons else ""


def described(version: str) -> dict[str, str]:
    """Return a version in its parts: `name` of the file, and the beginning of its `sha256`."""
    name, _, sha256 = version.rpartition("-")
    return {"name": name, "sha256": sha256}


def _version(name: str, sha256: str) -> str:
    return f"{name.removesuffix('.onnx')[:90]}-{sha256[:_DIGITS]}"


PACKAGED = _version(PACKAGED_FILE, PACKAGED_SHA256)
EMBEDDER = _version(EMBEDDER_FILE, EMBEDDER_SHA256)
