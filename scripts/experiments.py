"""The table of training runs in docs/experiments.md, made from the records in docs/experiments/.

python -m scripts.experiments                                        write the table anew; a test holds it
python -m scripts.experiments models/NAME --name RUN --learned TEXT  record a reported run first
"""

import argparse
import json
from pathlib import Path
from typing import Any

from scripts.readme import filled, table

_REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENT = _REPOSITORY / "docs" / "experiments.md"
RECORDS = _REPOSITORY / "docs" / "experiments"
_MARKER = "<!-- runs: made by `python -m scripts.experiments` -->\n"
_VALIDATION = (
    *("split", "accuracy", "accuracy_interval", "macro_f1", "macro_f1_interval", "recall", "ece"),
    *("accuracy_without_leaked", "ferplus_accuracy", "ferplus_head_accuracy", "flops"),
)


def record(folder: Path, name: str, learned: str) -> None:
    """Keeps what a run reached, without its weights.

    Args:
        folder: the reported network, such as models/paper.
        name: of the run; the record's file is named by it.
        learned: what the run taught, in a sentence.
    """
    metadata: dict[str, Any] = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    trained, validation = metadata["trained"], metadata["validation"]
    kept = {
        "network": metadata["name"],
        "version": metadata["version"],
        "parameters": metadata["parameters"],
        "pretrained": trained.get("pretrained"),
        "recipe": trained["recipe"],
        "images": trained["images"],
        "made_with": trained["made_with"],
        "epochs_done": len(trained["epochs"]),
        "best_epoch": trained["best_epoch"],
        "seconds": round(sum(epoch["seconds"] for epoch in trained["epochs"])),
        "validation": {key: validation[key] for key in _VALIDATION if key in validation},
        "learned": learned,
    }
    RECORDS.mkdir(exist_ok=True)
    (RECORDS / f"{name}.json").write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def runs() -> str:
    """All records as a table, the least accurate first."""
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RECORDS.glob("*.json")}
    ordered = sorted(records.items(), key=lambda item: item[1]["validation"]["accuracy"])
    return table(
        ("run", "recipe", "trained with", "epochs", "hours", "accuracy", "macro-F1", "FER+", "learned"),
        [
            (
                f"`{name}`",
                _recipe(kept),
                "; ".join(dict.fromkeys(f"{made['backend']}, {made['precision']}" for made in kept["made_with"])),
                f"{kept['best_epoch']} of {kept['recipe']['epochs']}",
                f"{kept['seconds'] / 3600:.1f}",
                _with_interval(kept["validation"], "accuracy"),
                _with_interval(kept["validation"], "macro_f1"),
                _ferplus(kept["validation"]),
                kept["learned"],
            )
            for name, kept in ordered
        ],
    )


def _recipe(kept: dict[str, Any]) -> str:
    recipe = kept["recipe"]
    parts = [f"{kept['network']}, {kept['parameters'] / 1e6:.1f} M"]
    parts += ["pretrained"] if kept.get("pretrained") else []
    parts.append(f"{recipe['optimizer']} {recipe['rate']:g}")
    parts.append(f"{recipe['schedule']}, augmentation {recipe['augmentation']}")
    extras = ("weight_decay", "average", "mixup", "label_smoothing", "votes", "taught", "recall")
    parts += [f"{name.replace('_', ' ')} {recipe[name]:g}" for name in extras if recipe.get(name)]
    if recipe.get("taught_on", "images") != "images":
        parts.append(f"taught on {recipe['taught_on']}")
    if recipe.get("crop", 48) < 48:
        parts.append(f"crop {recipe['crop']}")
    return ", ".join(parts)


def _with_interval(validation: dict[str, Any], name: str) -> str:
    low, high = validation[f"{name}_interval"]
    return f"{validation[name]:.1%} ({low:.1%} to {high:.1%})"


def _ferplus(validation: dict[str, Any]) -> str:
    heads = (validation.get(name) for name in ("ferplus_accuracy", "ferplus_head_accuracy"))
    return ", ".join(f"{value:.1%}" for value in heads if value is not None) or "-"


def updated(document: str) -> str:
    """The document with its table made anew."""
    return filled(document, _MARKER, runs())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="a reported network, to record its run")
    parser.add_argument("--name", help="of the run; default: its version")
    parser.add_argument("--learned", default="", help="what it taught, in a sentence")
    options = parser.parse_args()
    if options.folder:
        version = json.loads((options.folder / "metadata.json").read_text(encoding="utf-8"))["version"]
        record(options.folder, options.name or version, options.learned)
    DOCUMENT.write_text(updated(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
