"""Trains a network: `python -m training.train --data PATH --network paper --output models/paper`.

Stopped at any moment, the same command goes on after the last whole epoch, with the very numbers that an undisturbed
run would have had. Of the epochs at full width the one that does best on PublicTest is exported; PrivateTest is never
looked at.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training import checkpoint, networks
from training.augmentation import augment
from training.datasets import Dataset, load
from training.errors import TrainingError
from training.evaluate import evaluate
from training.export import export, record_validation
from training.folding import fold
from training.growth import widen
from training.schedule import learning_rate, parse_stages
from worker import winograd
from worker.classification import Classifier
from worker.emotions import EMOTIONS
from worker.errors import TimelineError
from worker.preprocessing import Preprocessing

log = logging.getLogger("training")


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the outcome of a run, besides the data.

    Attributes:
        network: name of a module in training.networks.
        stages: widths and epochs, see training.schedule.parse_stages.
        normalized: train with batch normalization and fold it away at the end.
        batch_size: images per step.
        peak_rate: the highest learning rate of Adam.
        label_smoothing: 0-1, part of each label that is spread over all emotions.
        seed: of weights, order, augmentation and dropout.
        images: at most so many training images, 0 for all (to try things out).
    """

    network: str = "paper"
    stages: str = "1:100"
    normalized: bool = False
    batch_size: int = 64
    peak_rate: float = 1e-3
    label_smoothing: float = 0.05
    seed: int = 0
    images: int = 0


class Run:
    """A training run: the network at its present width, its optimizer and how far it is."""

    def __init__(self, settings: Settings, output: Path) -> None:
        """Starts anew, or goes on where the checkpoint in the output folder was written.

        The stages that are still to come may differ from those planned before; each epoch's record says under which
        plan it ran.

        Raises:
            TrainingError: the checkpoint is of a run with other settings.
        """
        self.settings, self.output = settings, output
        self.widths = [s.width for s in parse_stages(settings.stages) for _ in range(s.epochs)]
        self.path = output / checkpoint.FILE_NAME
        state = checkpoint.read_state(self.path) or {"settings": asdict(settings), "history": []}
        trained_widths = [epoch["width"] for epoch in state["history"]]
        same = {**state["settings"], "stages": settings.stages} == asdict(settings)
        if not same or trained_widths != self.widths[: len(trained_widths)]:
            raise TrainingError(
                f"{self.path} belongs to a run with other settings ({state['settings']}); "
                "go on with those, or delete it to start anew."
            )
        self.history: list[dict[str, Any]] = state["history"]
        self._build(self.widths[max(len(self.history) - 1, 0)])
        if self.history:
            checkpoint.restore(self.path, self._variables())

    def _build(self, width: float) -> None:
        keras.utils.set_random_seed(self.settings.seed)
        self.width = width
        self.model = networks.build(self.settings.network, width, self.settings.normalized)
        # Shares all variables with self.model, only computes faster.
        self.steps = winograd.rewrite(self.model) if winograd.pays_off() else self.model
        self.optimizer = keras.optimizers.Adam(self.settings.peak_rate)
        self.optimizer.build(self.steps.trainable_variables)
        self.steps.compile(
            self.optimizer,
            keras.losses.CategoricalCrossentropy(label_smoothing=self.settings.label_smoothing),
            # XLA's convolutions are slow on CPUs, where TensorFlow would choose it; JAX can't do without.
            jit_compile="auto" if keras.backend.backend() == "jax" else False,
        )

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    def epochs(self, training: Dataset, validation: Dataset) -> Iterator[dict[str, Any]]:
        """Trains the epochs that are left; yields what each one brought, after its checkpoint is written."""
        while len(self.history) < len(self.widths):
            epoch = len(self.history)
            if self.widths[epoch] != self.width:
                narrow = self.model
                self._build(self.widths[epoch])
                widen(narrow, self.model, self.settings.seed)
            started = time.monotonic()
            loss = self._train_epoch(training, epoch)
            predictions = self._predict(validation.images).argmax(axis=1)
            accuracy = float((predictions == validation.labels).mean())
            self.history.append(
                {"epoch": epoch + 1, "width": self.width, "loss": loss, "accuracy": accuracy}
                | {"stages": self.settings.stages, "seconds": round(time.monotonic() - started)}
            )
            state = {"settings": asdict(self.settings), "history": self.history}
            self.output.mkdir(parents=True, exist_ok=True)
            checkpoint.save(self.path, state, self._variables())
            yield self.history[-1]

    def _train_epoch(self, data: Dataset, epoch: int) -> float:
        size = min(self.settings.batch_size, len(data))
        batches = len(data) // size
        rng = np.random.default_rng((self.settings.seed, epoch))
        order = rng.permutation(len(data))
        losses = []
        for batch in range(batches):
            chosen = order[batch * size : (batch + 1) * size]
            rate = learning_rate(
                self.settings.peak_rate,
                progress=(epoch + batch / batches) / len(self.widths),
                step_in_stage=(epoch - self.widths.index(self.width)) * batches + batch,
            )
            self.optimizer.learning_rate.assign(rate)
            images = augment(data.images[chosen], rng).astype(np.float32)
            labels = np.eye(len(EMOTIONS), dtype=np.float32)[data.labels[chosen]]
            losses.append(float(self.steps.train_on_batch(images, labels)))
            if batch % 50 == 49:
                log.info("epoch %d, batch %d of %d: loss %.3f", epoch + 1, batch + 1, batches, np.mean(losses[-50:]))
        return float(np.mean(losses))

    def _predict(self, images: NDArray[np.uint8], batch_size: int = 128) -> NDArray[np.float32]:
        batches = range(0, len(images), batch_size)
        parts = [self.steps.predict_on_batch(images[i : i + batch_size].astype(np.float32)) for i in batches]
        return np.concatenate(parts)

    def plain(self) -> Any:
        """The network at its full width, without batch normalization, and with the function of the one in training."""
        model, width = self.model, self.width
        while width < 1:
            width *= 2
            wide = networks.build(self.settings.network, width, self.settings.normalized)
            widen(model, wide, self.settings.seed)
            model = wide
        plain = networks.build(self.settings.network)
        fold(model, plain)
        return plain

    def export(self, training: Dataset, validation: Dataset, preprocessing: Preprocessing) -> None:
        """Writes the network as it is now to the output folder, with what it reaches there, in half precision."""
        trained = {
            "data": "FER2013, split Training without the images that are also in PublicTest",
            "images": len(training),
            "settings": asdict(self.settings),
            "backend": f"{keras.backend.backend()}, Keras {keras.__version__}",
            "epochs": self.history,
        }
        export(self.plain(), self.settings.network, self.output, preprocessing, trained)
        figures = {"split": "PublicTest", **evaluate(Classifier(self.output, batch_size=128), validation)}
        record_validation(self.output, figures)
        log.info("exported: accuracy %.4f in half precision", figures["accuracy"])


def load_data(path: Path, preprocessing: Preprocessing, images: int = 0) -> tuple[Dataset, Dataset]:
    """Training images without those that are also in PublicTest (280 of its 3,589 are), and PublicTest.

    Args:
        path: see training.datasets.
        preprocessing: how the network wants its images.
        images: at most so many of each, evenly spread; 0 for all.
    """
    validation = load(path, "PublicTest", preprocessing)
    training = load(path, "Training", preprocessing)
    training = training.select(~training.copies_of(validation))
    if images:
        training, validation = _thinned(training, images), _thinned(validation, images)
    return training, validation


def _thinned(data: Dataset, images: int) -> Dataset:
    return data.select(np.unique(np.linspace(0, len(data) - 1, images).astype(np.int64)))


def train(data: Path, settings: Settings, output: Path, export_only: bool = False) -> None:
    """Trains, or goes on training, and leaves the network of the best epoch at full width in the output folder.

    Args:
        data: see training.datasets.
        settings: what decides the outcome.
        output: models/<name>; the checkpoint is kept there, too.
        export_only: don't train; export the network of the last epoch as it is, widened where it is not yet.

    Raises:
        TrainingError: the data, the settings or the checkpoint can't be used.
    """
    run = Run(settings, output)
    preprocessing = Preprocessing()
    training, validation = load_data(data, preprocessing, settings.images)
    if export_only:
        run.export(training, validation, preprocessing)
        return
    for epoch in run.epochs(training, validation):
        log.info("%s", epoch)
        best = max(past["accuracy"] for past in run.history if past["width"] == run.width)
        if run.width == 1 and epoch["accuracy"] == best:
            run.export(training, validation, preprocessing)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 the data, the settings or the checkpoint can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.train", description="Train a network on FER2013.")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: Kaggle's CSV or folder, or a zip of either")
    parser.add_argument("--output", type=Path, required=True, help="folder of the network, such as models/paper")
    parser.add_argument("--export-only", action="store_true", help="export the last epoch's network; don't train")
    for name, default in asdict(Settings()).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(default, bool):
            parser.add_argument(option, action="store_true")
        else:
            parser.add_argument(option, type=type(default), default=default, help="default: %(default)s")
    options = vars(parser.parse_args(arguments))
    data, output, export_only = (options.pop(name) for name in ("data", "output", "export_only"))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        train(data, Settings(**options), output, export_only)
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
