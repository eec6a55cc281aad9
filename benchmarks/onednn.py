"""What oneDNN's kernels give on this machine's processor: faces/s and training images/s without and with them.

python -m benchmarks.onednn

Whether TensorFlow uses them is decided when it's imported (worker/__init__.py), so each measurement is a process.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean

_MODELS = Path(__file__).resolve().parent.parent / "models"
_MEASURE, _ROUNDS = "--measure", 2


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(_MEASURE, action="store_true", help="measure in this process and print the figures as JSON")
    if parser.parse_args().measure:
        print(json.dumps(_measured()))
        return
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for _ in range(_ROUNDS):
        for use in (0, 1):
            environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": str(use), "TF_CPP_MIN_LOG_LEVEL": "2"}
            command = [sys.executable, "-m", "benchmarks.onednn", _MEASURE]
            answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
            for name, speed in json.loads(answer.splitlines()[-1]).items():
                found[name][use].append(speed)
    print(f"{'':32}{'without':>10}{'with':>10}{'ratio':>10}")
    for name, speeds in found.items():
        without, using = mean(speeds[0]), mean(speeds[1])
        print(f"{name:32}{without:10.0f}{using:10.0f}{using / without:10.2f}")


def _measured() -> dict[str, float]:
    from benchmarks.steps import speeds
    from emotion_timeline.faces.classification import Classifier
    from training.figures.speed import faces_per_second

    served = _MODELS / (_MODELS / "served.txt").read_text(encoding="utf-8").strip()
    folders = (_MODELS / "paper", served)
    faces = {
        f"{folder.name}, faces/s, {batch} at once": faces_per_second([Classifier(folder, batch)])[0]
        for folder in folders
        for batch in (1, 32)
    }
    names = ("paper", "residual", "efficientnet")
    return faces | {f"{name}, training images/s": speeds(name, "float32")[1] for name in names}


if __name__ == "__main__":
    main()
