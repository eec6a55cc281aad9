"""A training run that can be stopped at any moment: after each epoch a checkpoint holds all that it needs to go on."""

import hashlib
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_timeline.faces import hardware, winograd
from emotion_timeline.faces.classification import read_metadata
from training import networks
from training.data import normalization
from training.data.augmentation import augmentation, cropped, mix
from training.data.datasets import Dataset
from training.errors import TrainingError
from training.figures.metrics import cross_entropy
from training.learning import checkpoint
from training.learning.teaching import Teachers, begin_with
from training.parts.heads import HEAD
from training.recipe import Recipe

_PREDICTION_BATCH = 256


class Run:
    """A network in training: its weights, its optimizer and what each epoch brought.

    Attributes:
        model: the Keras network.
        precision: the Keras dtype policy: that of the checkpoint, or what the recipe means on this machine.
        made_with: what the epochs were trained with, one record for each change: epoch (the first), commit, backend,
            precision.
        history: one record per epoch: epoch (from 1), rate (at its end), loss and accuracy (on the training images as
            they were shown: augmented, with dropout, and while the weights changed), validation_loss and
            validation_accuracy, seconds.
    """

    def __init__(
        self,
        network: str,
        recipe: Recipe,
        output: Path,
        training: Dataset,
        validation: Dataset,
        votes: NDArray[np.float32] | None = None,
        teachers: Sequence[Path] = (),
        begins_with: Path | None = None,
    ) -> None:
        """Starts anew, or goes on where the checkpoint in the output folder was written.

        Args:
            network: a name in training.networks.NAMES.
            recipe: how it is trained. With a constant learning rate the epochs may become more later on.
            output: where the checkpoint is, or will be.
            training: the images to learn from.
            validation: the images on which each epoch is measured; they change nothing of the training.
            votes: float32 (n, 7), shares of FER+'s votes for the training images, rows of zeros for images without;
                needed where the recipe learns them.
            teachers: folders of exported networks; needed where part of what is learnt is taught.
            begins_with: folder of an exported network of the same kind, whose weights are the first ones.

        Raises:
            TrainingError: there is no such network, the votes or the teachers are missing, the network to begin with
                is of another kind, or the checkpoint is of a run with another recipe, other images, other teachers or
                another beginning.
            ModelError: a teacher or the network to begin with can't be used.
        """
        self.recipe, self.output, self.training, self.validation = recipe, output, training, validation
        self.path = output / checkpoint.FILE_NAME
        if bool(recipe.votes) != (votes is not None):
            raise TrainingError(
                f"A recipe that learns FER+'s votes needs them (--ferplus); here their weight is {recipe.votes} and "
                f"they are {'missing' if votes is None else 'at hand'}."
            )
        if bool(recipe.taught) != bool(teachers):
            raise TrainingError(
                f"Teachers (--teachers) and the part of the targets that is theirs (--taught) belong together; found "
                f"{len(teachers)} teachers and a part of {recipe.taught}."
            )
        targets = training.one_hot() if votes is None else np.hstack([training.one_hot(), votes])
        # The teachers' answers differ in their last bits between machines, their versions do not.
        fingerprint = _fingerprint(training.images, targets, validation.images, validation.labels)
        self._known, self._teachers = targets, Teachers(teachers, recipe.taught) if teachers else None
        self._settings = {
            "network": network,
            **recipe.to_metadata(),
            "data": fingerprint,
            "teachers": [read_metadata(folder).version for folder in teachers],
            "begins_with": read_metadata(begins_with).version if begins_with else None,
        }
        state = checkpoint.read_state(self.path) or {"settings": self._settings, "history": [], "made_with": []}
        self.history: list[dict[str, Any]] = state["history"]
        self.made_with: list[dict[str, Any]] = state["made_with"]
        self._refuse_another(state["settings"])
        keras.utils.set_random_seed(recipe.seed)
        self.precision: str = self.made_with[-1]["precision"] if self.made_with else precision(recipe)
        keras.config.set_dtype_policy(self.precision)
        try:
            side = None if recipe.crop < training.images.shape[1] else 48
            self.model = networks.build(network, recipe.scaling, recipe.votes > 0, side)
        finally:
            keras.config.set_dtype_policy("float32")
        self._steps = fast_steps(self.model)
        self._optimizer = _optimizer(recipe)
        self._optimizer.build(self._steps.trainable_variables)
        heads = len(self.model.outputs)
        losses = [keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing), _votes_cross_entropy]
        self._steps.compile(
            self._optimizer,
            losses[:heads],
            loss_weights=[1.0, recipe.votes][:heads],
            metrics=[["accuracy"], []][:heads],
            # XLA's convolutions are slow on CPUs, where TensorFlow would choose it; JAX can't do without.
            jit_compile="auto" if keras.backend.backend() == "jax" else False,
        )
        self._variables = [*self.model.variables, *self._optimizer.variables]
        self._keep_best()
        if self.history:
            checkpoint.restore(self.path, self._variables)
        elif begins_with:
            begin_with(self.model, begins_with)
        else:
            networks.begin(network, self.model)

    @cached_property
    def _targets(self) -> NDArray[np.float32]:
        """What is learnt. Teachers take minutes to answer, and an export needs none of it."""
        if self._teachers is None or self.recipe.taught_on == "views":
            return self._known
        return self._teachers.taught_once(self._known, self.training.images)

    def _refuse_another(self, settings: dict[str, Any]) -> None:
        expected = dict(self._settings)
        if self.recipe.schedule == "constant" and self.recipe.epochs >= len(self.history):
            expected["epochs"] = settings["epochs"]
        if expected != settings:
            differing = {name for name in {*expected, *settings} if expected.get(name) != settings.get(name)}
            raise TrainingError(
                f"{self.path} belongs to another run: it differs in {', '.join(sorted(differing))}. "
                f"Go on with its settings ({settings}), or delete it to start anew."
            )

    def _record_making(self) -> None:
        making = {"commit": commit(), "backend": f"{keras.backend.backend()}, Keras {keras.__version__}"}
        making["precision"] = self.precision
        last = self.made_with[-1] if self.made_with else {}
        if {**last, **making} != last:
            self.made_with.append({"epoch": len(self.history) + 1, **making})

    def epochs(self) -> Iterator[dict[str, Any]]:
        """Trains the epochs that are left.

        Yields:
            What each epoch brought (see history), once its checkpoint is written.
        """
        while len(self.history) < self.recipe.epochs:
            self._record_making()
            started = time.monotonic()
            epoch = len(self.history)
            figures = self._train_epoch(self.training, epoch)
            with self._averaged():
                probabilities = predict(self._steps, self.validation.images)
                accuracy = float((probabilities.argmax(axis=1) == self.validation.labels).mean())
                record = {
                    "epoch": epoch + 1,
                    "rate": self.recipe.rate_at(epoch + 1),
                    "loss": figures["loss"],
                    "accuracy": figures["accuracy"],
                    "validation_loss": cross_entropy(probabilities, self.validation.labels),
                    "validation_accuracy": accuracy,
                    "seconds": round(time.monotonic() - started, 1),
                }
                self.output.mkdir(parents=True, exist_ok=True)
                if accuracy > max((past["validation_accuracy"] for past in self.history), default=-1):
                    checkpoint.save(self.output / checkpoint.NEXT_BEST_FILE_NAME, record, self.model.weights)
            self.history.append(record)
            state = {"settings": self._settings, "history": self.history, "made_with": self.made_with}
            checkpoint.save(self.path, state, self._variables)
            self._keep_best()
            yield record

    def _keep_best(self) -> None:
        """Put the weights of the best epoch in the place of the earlier ones, once the checkpoint knows of that epoch:
        wherever a run is stopped, the best of its history is there."""
        coming = self.output / checkpoint.NEXT_BEST_FILE_NAME
        record = checkpoint.read_state(coming)
        if record is not None and record in self.history:
            coming.replace(self.output / checkpoint.BEST_FILE_NAME)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """For the length of the block the network has the moving average of its weights, where the recipe wants one."""
        if not self.recipe.average:
            yield
            return
        present = [variable.numpy() for variable in self.model.trainable_variables]
        self._optimizer.finalize_variable_values(self._steps.trainable_variables)
        yield
        for variable, value in zip(self.model.trainable_variables, present, strict=True):
            variable.assign(value)

    def best(self) -> tuple[dict[str, Any], Any]:
        """The record of the epoch that did best on the validation split, and the network as it was then, in float32.

        Raises:
            TrainingError: no epoch is done yet, or its file can't be read.
        """
        path = self.output / checkpoint.BEST_FILE_NAME
        record = checkpoint.read_state(path)
        if record is None or record not in self.history:
            raise TrainingError(f"There is no {path} of this run: no epoch of it is done yet.")
        model = networks.build(self._settings["network"], self.recipe.scaling, self.recipe.votes > 0)
        checkpoint.restore(path, model.weights)
        return record, model

    def _train_epoch(self, data: Dataset, epoch: int) -> dict[str, float]:
        size = min(self.recipe.batch_size, len(data))
        steps = len(data) // size
        totals: dict[str, float] = defaultdict(float)
        bar = tqdm(total=steps * size, desc=f"epoch {epoch + 1}/{self.recipe.epochs}", unit=" images", leave=False)
        with bar:
            for step, (images, targets) in enumerate(self._batches(data, epoch, size, steps)):
                self._optimizer.learning_rate.assign(self.recipe.rate_at(epoch + step / steps))
                by_head = np.split(targets, len(self.model.outputs), axis=1)
                figures = self._steps.train_on_batch(images, by_head, return_dict=True)
                # Where there is a second head, the first one's own figures.
                totals["loss"] += float(figures.get(f"{HEAD}_loss", figures["loss"]))
                totals["accuracy"] += float(figures.get(f"{HEAD}_accuracy", figures.get("accuracy")))
                bar.update(size)
                bar.set_postfix({name: f"{total / (step + 1):.3f}" for name, total in totals.items()}, refresh=False)
        return {name: total / steps for name, total in totals.items()}

    def _batches(
        self, data: Dataset, epoch: int, size: int, steps: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Batches of an epoch, in an order and with changes that seed and epoch decide, each made while one trains."""
        rng = np.random.default_rng((self.recipe.seed, epoch))
        order = rng.permutation(len(data))
        augment = augmentation(self.recipe.augmentation)
        side = self.recipe.crop_at(epoch)
        all_targets = self._targets

        def make(step: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            chosen = order[step * size : (step + 1) * size]
            views, targets = augment(data.images[chosen], rng), all_targets[chosen]
            if self._teachers is not None and self.recipe.taught_on == "views":
                targets = self._teachers.taught_in_turn(targets, views, epoch * steps + step)
            images = cropped(views, side, rng).astype(np.float32)
            return mix(images, targets, self.recipe.mixup, rng) if self.recipe.mixup else (images, targets)

        with ThreadPoolExecutor(1) as pool:  # one thread: the batches draw from rng in their order
            coming: Future[tuple[NDArray[np.float32], NDArray[np.float32]]] = pool.submit(make, 0)
            for step in range(steps):
                batch = coming.result()
                if step + 1 < steps:
                    coming = pool.submit(make, step + 1)
                yield batch


def fast_steps(model: Any) -> Any:
    """The network as it is trained: shares all variables with model, only computes faster."""
    return normalization.rewrite(winograd.rewrite(model) if winograd.pays_off() else model)


def _fingerprint(*parts: NDArray[Any]) -> str:
    """SHA-256 over images and labels."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.tobytes())
    return digest.hexdigest()


def _votes_cross_entropy(shares: Any, probabilities: Any) -> Any:
    """Keras's own takes it that the targets of an image sum to 1; here images without votes must have no say."""
    return -keras.ops.sum(shares * keras.ops.log(keras.ops.maximum(probabilities, 1e-7)), axis=-1)


def commit() -> str | None:
    """The git commit of this code, with "+changes" where the trees that train differ from it; None outside git."""
    folder = Path(__file__).parents[2]

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout

    try:
        changed = git("status", "--porcelain", "--", "training", "emotion_timeline")
        return git("rev-parse", "HEAD").strip() + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _optimizer(recipe: Recipe) -> Any:
    average = {"use_ema": recipe.average > 0, "ema_momentum": recipe.average or 0.99, "ema_overwrite_frequency": None}
    options = {"weight_decay": recipe.weight_decay or None, **average}
    if recipe.optimizer == "adam":
        optimizer = keras.optimizers.Adam(recipe.rate, **options)
    else:
        optimizer = keras.optimizers.SGD(recipe.rate, momentum=0.9, nesterov=True, **options)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def predict(model: Any, images: NDArray[np.uint8], head: int = 0) -> NDArray[np.float32]:
    """A network's answers, without dropout.

    Args:
        model: a Keras network.
        images: uint8 (n, size, size, 1).
        head: whose answers, where there are two: 0 for FER2013's, 1 for FER+'s.

    Returns:
        float32 (n, 7).
    """
    starts = range(0, len(images), _PREDICTION_BATCH)
    answers = (model.predict_on_batch(images[start : start + _PREDICTION_BATCH].astype(np.float32)) for start in starts)
    heads = (answer[head] if isinstance(answer, list) else answer for answer in answers)
    return np.concatenate([np.asarray(probabilities, np.float32) for probabilities in heads])


def precision(recipe: Recipe) -> str:
    """The Keras dtype policy that a recipe means on this machine."""
    if recipe.precision != "auto":
        return recipe.precision
    return "mixed_bfloat16" if hardware.has_accelerator() or hardware.has_bfloat16() else "float32"
