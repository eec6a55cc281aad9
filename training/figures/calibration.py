"""What is done to a trained network's logits; the exported network's last layers have it built in.

Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017): one number divides the logits,
so that probabilities mean what they say. It changes no ranking, hence no prediction.

Offsets (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021): a network that is unsure names what is
frequent, such as happy, of which FER2013 has sixteen times as many faces as of disgust, or what it confuses least. A
constant added to an emotion's logit lets it be found more often, at the cost of the others.

The head of FER2013's labels gets the least offsets by which each emotion is found often enough, and then the
temperature with the least cross-entropy. The head of FER+'s votes gets temperature and offsets together, those with the
least cross-entropy to the shares of the votes (Alexandari et al., "Maximum Likelihood with Bias-Corrected Calibration
is Hard-To-Beat at Label Shift Adaptation", ICML 2020, with shares in place of labels).

No figure is given on images that the choice saw: what is built in is fitted on all images of a split, but each image is
measured with what the other folds of the split would have chosen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from training.figures.metrics import Labels, Probabilities, cross_entropy
from training.parts.heads import HEAD

FOLDS = 5
_RANGE = (0.25, 8.0)
_OFFSET_STEP, _OFFSET_STEPS = 0.02, 1000
_STEPS = 40  # of golden section search: down to a millionth of the range
_NEWTON_STEPS, _HALVINGS = 50, 20
_RIDGE = 1e-5  # holds what the images say nothing of, such as an offset that is the same for all emotions

Shares = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the logits of a head go through: the offsets are added, then the temperature divides.

    Attributes:
        temperature: above 0; above 1 where the network is too sure of itself.
        offsets: one for each of EMOTIONS.
    """

    temperature: float = 1.0
    offsets: tuple[float, ...] = (0.0,) * len(EMOTIONS)

    def applied(self, probabilities: Probabilities) -> Probabilities:
        """What probabilities become by it: float32 (n, 7)."""
        return scaled(_softmax(_logits(probabilities) + self.offsets), self.temperature)

    def undone(self, probabilities: Probabilities) -> Probabilities:
        """What probabilities that went through it were before: float32 (n, 7)."""
        return _softmax(_logits(probabilities) * self.temperature - self.offsets)

    def named(self) -> dict[str, float]:
        """The offsets by emotion, for metadata.json."""
        return dict(zip(EMOTIONS, self.offsets, strict=True))


def built_in(trained: Mapping[str, Any]) -> tuple[Calibration, Calibration]:
    """What is built into the heads of a network, FER2013's first, as its metadata.json tells.

    An older one doesn't tell the second head's temperature, which then stays in: its fit ends at the same
    probabilities, whichever temperature and offsets it begins with.
    """

    def read(prefix: str) -> Calibration:
        offsets = trained.get(f"{prefix}offsets") or {}
        return Calibration(
            trained.get(f"{prefix}temperature") or 1.0, tuple(offsets.get(emotion, 0.0) for emotion in EMOTIONS)
        )

    return read(""), read("ferplus_")


def folds(images: NDArray[np.uint8], seed: int = 0) -> NDArray[np.int64]:
    """In which of the folds each image is; the same pixels always lie in one.

    Args:
        images: uint8 (n, size, size, 1).
        seed: of the order in which images are dealt to the folds.

    Returns:
        int64 (n,), 0 to FOLDS - 1.
    """
    pixels = [image.tobytes() for image in images]
    different = list(dict.fromkeys(pixels))
    order = np.random.default_rng(seed).permutation(len(different))
    fold = {image: int(place) % FOLDS for image, place in zip(different, order, strict=True)}
    return np.array([fold[image] for image in pixels], np.int64)


def cross_fitted(
    probabilities: Probabilities,
    targets: NDArray[Any],
    fit: Callable[[Probabilities, Any], Calibration],
    fold: NDArray[np.int64],
) -> Probabilities:
    """What each image's probabilities become by what is fitted on the images of the other folds.

    Args:
        probabilities: float32 (n, 7), with nothing built in.
        targets: what is fitted to, n of them.
        fit: probabilities and targets -> a calibration.
        fold: int64 (n,), of each image.

    Returns:
        float32 (n, 7).
    """
    found = np.empty_like(probabilities)
    for number in np.unique(fold):
        inside = fold == number
        found[inside] = fit(probabilities[~inside], targets[~inside]).applied(probabilities[inside])
    return found


def fit_labels(probabilities: Probabilities, labels: Labels, recall: float) -> Calibration:
    """The calibration of a head for labels: enough of each emotion found, then the least cross-entropy.

    Args:
        probabilities: float32 (n, 7), with nothing built in.
        labels: int64 (n,).
        recall: see fit_offsets.
    """
    offsets = fit_offsets(probabilities, labels, recall)
    shifted = Calibration(1.0, tuple(offsets.tolist())).applied(probabilities)
    return Calibration(fit_temperature(shifted, labels), tuple(offsets.tolist()))


def fit_shares(probabilities: Probabilities, shares: Shares) -> Calibration:
    """The calibration of a head for shares of votes: the least cross-entropy, by Newton's method.

    Args:
        probabilities: float32 (n, 7), with nothing built in.
        shares: float32 (n, 7), rows sum to 1; rows of NaN say nothing.

    Returns:
        Temperature and offsets; the offsets have the mean 0.
    """
    known = ~np.isnan(shares).any(axis=1)
    logits, wanted = _logits(probabilities[known]), shares[known].astype(np.float64)
    emotions = np.broadcast_to(np.eye(len(EMOTIONS)), (len(logits), len(EMOTIONS), len(EMOTIONS)))
    design = np.concatenate([logits[:, :, None], emotions], axis=2)  # (n, 7, 8): of inverse temperature and offsets
    begin = np.eye(1 + len(EMOTIONS))[0]

    def loss(values: NDArray[np.float64]) -> float:
        log_p = _log_softmax(design @ values)
        return float(-(wanted * log_p).sum() / max(1, len(log_p)) + _RIDGE / 2 * ((values - begin) ** 2).sum())

    values = begin
    for _ in range(_NEWTON_STEPS):
        step = _newton_step(design, wanted, values, begin)
        size = next((0.5**k for k in range(_HALVINGS) if loss(values - 0.5**k * step) < loss(values)), 0.0)
        if not size:
            break
        values = values - size * step
    inverse = float(np.clip(values[0], 1 / _RANGE[1], 1 / _RANGE[0]))
    offsets = ((values[1:] - values[1:].mean()) / inverse).round(3)
    return Calibration(1 / inverse, tuple(offsets.tolist()))


def _newton_step(
    design: NDArray[np.float64], wanted: NDArray[np.float64], values: NDArray[np.float64], begin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Inverse Hessian times gradient of the loss of fit_shares."""
    n = max(1, len(design))
    p = np.exp(_log_softmax(design @ values))
    weighted = design * p[..., None]
    mean = weighted.sum(axis=1)  # (n, 8)
    gradient = np.einsum("nck,nc->k", design, p - wanted) / n + _RIDGE * (values - begin)
    hessian = (np.einsum("nck,ncl->kl", weighted, design) - mean.T @ mean) / n + _RIDGE * np.eye(len(values))
    return np.asarray(np.linalg.solve(hessian, gradient))


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature with the least cross-entropy.

    Args:
        probabilities: float32 (n, 7), not scaled yet.
        labels: int64 (n,).

    Returns:
        A number from 0.25 to 8; above 1 where the network is too sure of itself.
    """
    low, high = (float(value) for value in np.log(_RANGE))
    ratio = (5**0.5 - 1) / 2

    def loss(log_temperature: float) -> float:
        return cross_entropy(scaled(probabilities, float(np.exp(log_temperature))), labels)

    # Cross-entropy is convex in 1 / temperature, so it has one minimum.
    for _ in range(_STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def scaled(probabilities: Probabilities, temperature: float) -> Probabilities:
    """What the probabilities become when the logits are divided by the temperature: float32 (n, 7)."""
    return _softmax(_logits(probabilities) / temperature)


def fit_offsets(probabilities: Probabilities, labels: Labels, recall: float) -> NDArray[np.float64]:
    """The least offsets by which each emotion is found in so many of its images.

    The emotion that is found least gets a little more, again and again.

    Args:
        probabilities: float32 (n, 7).
        labels: int64 (n,).
        recall: 0-1, part of the images of each emotion; those without images count as found.

    Returns:
        float64 (7,), 0 or more, to add to the logits. Where no offsets are enough, those that came nearest.
    """
    logits = _logits(probabilities)
    images = np.bincount(labels, minlength=len(EMOTIONS))
    offsets = nearest = np.zeros(len(EMOTIONS))
    best = -1.0
    for _ in range(_OFFSET_STEPS):
        hits = np.bincount(labels[(logits + offsets).argmax(axis=1) == labels], minlength=len(EMOTIONS))
        found = np.where(images > 0, hits / images.clip(1), 1.0)
        if found.min() > best:
            best, nearest = found.min(), offsets
        if best >= recall:
            break
        offsets = offsets + _OFFSET_STEP * (np.arange(len(EMOTIONS)) == found.argmin())
    return np.round(nearest, 2)  # of the sums of steps, what floats add to them


def build_in(model: Any, calibration: Calibration, head: str = HEAD) -> None:
    """Let the logits of a head of a Keras network, a dense layer with a softmax, go through a calibration."""
    last = model.get_layer(head)
    kernel, bias = last.get_weights()
    last.set_weights([kernel / calibration.temperature, (bias + calibration.offsets) / calibration.temperature])


def take_out(model: Any, calibration: Calibration, head: str = HEAD) -> None:
    """Undo build_in."""
    last = model.get_layer(head)
    kernel, bias = last.get_weights()
    last.set_weights([kernel * calibration.temperature, bias * calibration.temperature - calibration.offsets])


def _logits(probabilities: Probabilities) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(probabilities.astype(np.float64), 1e-12)))


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    above = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(above - np.log(np.exp(above).sum(axis=-1, keepdims=True)))


def _softmax(logits: NDArray[np.float64]) -> Probabilities:
    return np.asarray(np.exp(_log_softmax(logits)), np.float32)
