"""The served network beside the paper's, in one run: faces/s by batch, size on disk and computation per face.

python -m benchmarks.classifier [FOLDER ...]

Compare the ratios, not the numbers: those are this machine's. Networks are measured in turns.
"""

import argparse
import os
from pathlib import Path
from typing import Any

_MODELS = Path(__file__).resolve().parent.parent / "models"
_BATCHES = (1, 32, 256)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    served = _MODELS / (_MODELS / "served.txt").read_text(encoding="utf-8").strip()
    default = list(dict.fromkeys((_MODELS / "paper", served)))
    parser.add_argument(
        "folders", nargs="*", type=Path, default=default, help="default: models/paper and the served one"
    )
    folders: list[Path] = parser.parse_args().folders
    from emotion_timeline.faces.classification import Classifier, read_metadata
    from training.figures.speed import faces_per_second

    speeds = {batch: faces_per_second([Classifier(folder, batch) for folder in folders]) for batch in _BATCHES}
    _print_row("network", *(f"faces/s, {batch} at once" for batch in _BATCHES), "weights, MB", "MFLOP a face")
    for place, folder in enumerate(folders):
        ratios = (f"{speeds[batch][place]:.0f} ({speeds[batch][place] / speeds[batch][0]:.2f} x)" for batch in _BATCHES)
        _print_row(read_metadata(folder).version, *ratios, f"{_megabytes(folder):.1f}", f"{_flops(folder) / 1e6:.0f}")


def _megabytes(folder: Path) -> float:
    return (folder / "weights.npz").stat().st_size / 1e6


def _flops(folder: Path) -> int:
    import keras

    from training.figures.flops import flops

    architecture: Any = keras.models.model_from_json((folder / "architecture.json").read_text(encoding="utf-8"))
    return flops(architecture)


def _print_row(*cells: str) -> None:
    print("".join(f"{cell:<24}" for cell in cells))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
