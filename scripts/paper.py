"""Write docs/paper.md's table of results anew from models/paper: `python -m scripts.paper`. A test holds it."""

import json
from pathlib import Path
from typing import Any

from scripts.readme import filled, table

_REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENT = _REPOSITORY / "docs" / "paper.md"
_METADATA = _REPOSITORY / "models" / "paper" / "metadata.json"
_MARKER = "<!-- results: made by `python -m scripts.paper` -->\n"


def results() -> str:
    """The paper's figures beside those of models/paper, as a table, and whether its run is finished."""
    metadata: dict[str, Any] = json.loads(_METADATA.read_text(encoding="utf-8"))
    trained, validation = metadata["trained"], metadata["validation"]
    last, best = trained["epochs"][-1], trained["epochs"][trained["best_epoch"] - 1]
    low, high = validation["accuracy_interval"]
    exported = f"{validation['accuracy']:.1%} ({low:.1%} to {high:.1%})"
    done, planned = len(trained["epochs"]), trained["recipe"]["epochs"]
    state = f"The run is not finished: {done} of {planned} epochs are done.\n\n" if done < planned else ""
    return state + table(
        ("", "the paper", f"ours after epoch {last['epoch']}", f"ours, epoch {best['epoch']}, as exported"),
        [
            ("parameters", "4,232,199", f"{metadata['parameters']:,}", "the same network"),
            ("training images", "28,821", f"{trained['images']:,}", "the same"),
            ("validation images", "7,066", f"{validation['images']:,}", "the same"),
            ("training loss", "0.72", f"{last['loss']:.2f}", f"{best['loss']:.2f}"),
            ("validation loss", "1.03", f"{last['validation_loss']:.2f}", f"{validation['cross_entropy']:.2f}"),
            ("training accuracy", "73.9 %", f"{last['accuracy']:.1%}", f"{best['accuracy']:.1%}"),
            ("validation accuracy", "62 %", f"{last['validation_accuracy']:.1%}", exported),
        ],
    )


def updated(document: str) -> str:
    """The document with its table made anew."""
    return filled(document, _MARKER, results())


if __name__ == "__main__":
    DOCUMENT.write_text(updated(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
