"""How fast a network is as it is served here. Absolute numbers are this machine's; compare only within one run."""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import keras
import numpy as np

from emotion_timeline.faces.classification import Classifier

BATCH_SIZE = 32
_FACES = 256
_ROUNDS = 9


def faces_per_second(classifiers: Sequence[Classifier]) -> list[float]:
    """Median speed of each network, measured in turns, so that what slows this machine down meets all of them.

    Args:
        classifiers: of batch size 32.
    """
    faces = np.random.default_rng(0).integers(0, 256, (_FACES, 48, 48, 1)).astype(np.uint8)
    rounds: list[list[float]] = [[] for _ in classifiers]
    for _ in range(_ROUNDS):
        for classifier, speeds in zip(classifiers, rounds, strict=True):
            started = time.perf_counter()
            classifier.probabilities(faces)
            speeds.append(_FACES / (time.perf_counter() - started))
    return [median(speeds) for speeds in rounds]


def measure(model_dir: Path) -> dict[str, Any]:
    """Speed of the network in a folder, and of what machine it is."""
    (speed,) = faces_per_second([Classifier(model_dir, BATCH_SIZE)])
    return {
        "faces_per_s": round(speed),
        "batch_size": BATCH_SIZE,
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "backend": keras.backend.backend(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
