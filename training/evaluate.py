"""Measures an exported network: `python -m training.evaluate --model models/paper --data PATH --split PublicTest`.

Through worker.classification, so what is measured is what is served.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.datasets import SPLITS, Dataset, load
from training.metrics import metrics
from worker.classification import Classifier
from worker.errors import TimelineError
from worker.preprocessing import Preprocessing


def evaluate(classifier: Classifier, data: Dataset) -> dict[str, Any]:
    """The figures of training.metrics for a served network and labelled faces."""
    return metrics(classifier.probabilities(data.images), data.labels)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the model or the data can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.evaluate", description="Measure an exported network on FER2013.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the network, such as models/paper")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: Kaggle's CSV or folder, or a zip of either")
    parser.add_argument("--split", choices=SPLITS, default="PublicTest")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    options = parser.parse_args(arguments)
    try:
        classifier = Classifier(options.model, batch_size=128)
        data = load(options.data, options.split, Preprocessing.from_metadata(classifier.preprocessing))
        figures = evaluate(classifier, data)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
