"""The pictures of a network's report, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.media.overlay import COLOURS
from training.figures.calibration import Calibration
from training.figures.metrics import CALIBRATION_BINS, Labels, Probabilities, expected_calibration_error, reliability

try:
    import seaborn as sns
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter
except ModuleNotFoundError as exc:  # told before the training, not when it is to be reported
    raise SystemExit(f"Training needs the package {exc.name}: .venv/bin/pip install --editable '.[training]'") from exc

_TRAINING, _VALIDATION = sns.color_palette("colorblind")[:2]


def plot_curves(history: Sequence[Mapping[str, Any]], best_epoch: int, path: Path) -> None:
    """Loss and accuracy by epoch, on the training images as they were shown and on the validation split."""
    epochs = [record["epoch"] for record in history]
    with sns.axes_style("whitegrid"):
        figure = Figure(figsize=(10, 3.8), layout="constrained")
        axes = figure.subplots(1, 2)
        for axis, name, title in zip(axes, ("loss", "accuracy"), ("Cross-entropy", "Accuracy"), strict=True):
            axis.plot(epochs, [r[name] for r in history], color=_TRAINING, label="training (as shown, with dropout)")
            axis.plot(epochs, [r[f"validation_{name}"] for r in history], color=_VALIDATION, label="validation")
            axis.axvline(best_epoch, color="grey", linestyle=":", label=f"epoch {best_epoch}, exported")
            axis.set(title=title, xlabel="epoch")
        axes[1].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        # Below both: within, it would hide one curve or the other.
        figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        _save(figure, path)


def plot_confusion(confusion: NDArray[np.int64], path: Path) -> None:
    """Confusion matrix: share of each label's images by prediction in colour and percent, counts below."""
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    text = [[f"{s:.0%}\n{n}" for s, n in zip(*rows, strict=True)] for rows in zip(share, confusion, strict=True)]
    figure = Figure(figsize=(6.6, 5.8), layout="constrained")
    axis = figure.subplots()
    sns.heatmap(
        share, annot=np.array(text), fmt="", vmin=0, vmax=1, cmap="Blues", square=True, linewidths=0.5,
        xticklabels=EMOTIONS, yticklabels=EMOTIONS, annot_kws={"fontsize": 8}, ax=axis,
        cbar_kws={"shrink": 0.8, "format": PercentFormatter(1, decimals=0), "label": "of the label's images"},
    )  # fmt: skip
    axis.set(xlabel="prediction", ylabel="label")
    axis.tick_params(axis="y", rotation=0)
    _save(figure, path)


def plot_reliability(probabilities: Probabilities, labels: Labels, calibration: Calibration, path: Path) -> None:
    """Accuracy by confidence, before and after calibration, with the number of images below.

    Args:
        probabilities: float32 (n, 7), as served: after calibration.
        labels: int64 (n,).
        calibration: the one that is built in.
        path: of the PNG file.
    """
    versions = {"before calibration": calibration.undone(probabilities), "as served": probabilities}
    edges = np.arange(CALIBRATION_BINS) / CALIBRATION_BINS
    with sns.axes_style("whitegrid"):
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3, 1))
        for (upper, lower), (title, values) in zip(axes.T, versions.items(), strict=True):
            confidence, accuracy, images = reliability(values, labels)
            filled = images > 0
            options = {"width": 1 / CALIBRATION_BINS, "align": "edge", "edgecolor": "white"}
            upper.bar(edges[filled], accuracy[filled], color=_TRAINING, **options)
            upper.plot(confidence[filled], accuracy[filled], "o-", color=_VALIDATION, markersize=4)
            upper.plot([0, 1], [0, 1], color="grey", linestyle=":")
            error = expected_calibration_error(values, labels)
            upper.set(title=f"{title}: expected calibration error {error:.3f}", xlim=(0, 1), ylim=(0, 1))
            lower.bar(edges, images, color="grey", **options)
            lower.set(xlabel="confidence")
        axes[0, 0].set(ylabel="accuracy")
        axes[1, 0].set(ylabel="images")
        _save(figure, path)


def plot_timelines(timelines: Mapping[str, tuple[NDArray[np.float64], Probabilities]], path: Path) -> None:
    """Probabilities of one face over time by each network, with the likeliest emotion as a strip below.

    Args:
        timelines: by the network's version: float64 (n,) seconds, and float32 (n, 7).
        path: of the PNG file.
    """
    colours = [COLOURS[emotion] for emotion in EMOTIONS]
    with sns.axes_style("whitegrid"):
        figure = Figure(figsize=(10, 3.1 * len(timelines)), layout="constrained")
        ratios = (6, 1) * len(timelines)
        axes = figure.subplots(2 * len(timelines), 1, sharex=True, height_ratios=ratios, squeeze=False)[:, 0]
        for number, (version, (seconds, probabilities)) in enumerate(timelines.items()):
            curves, strip = axes[2 * number : 2 * number + 2]
            for emotion, colour, values in zip(EMOTIONS, colours, probabilities.T, strict=True):
                curves.plot(seconds, values, color=colour, label=emotion, linewidth=1.8)
            curves.set(title=version, ylabel="probability", ylim=(0, 1))
            edges = np.append(seconds, seconds[-1] + (seconds[-1] - seconds[0]) / max(1, len(seconds) - 1))
            likeliest = probabilities.argmax(axis=1)[None]
            limits = {"vmin": 0, "vmax": len(EMOTIONS) - 1}
            strip.pcolormesh(edges, (0, 1), likeliest, cmap=ListedColormap(colours), **limits)
            strip.set(yticks=[], ylim=(0, 1))
            strip.grid(False)
        axes[0].legend(ncols=len(EMOTIONS), loc="lower center", bbox_to_anchor=(0.5, 1.12), frameon=False)
        axes[-1].set(xlabel="seconds")
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    # Without the software's version, which would change the file with every release of Matplotlib.
    figure.savefig(path, dpi=110, metadata={"Software": None})
