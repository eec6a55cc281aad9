"""The model card: what a person should know about a network before trusting it, written from its metadata."""

from collections.abc import Mapping
from typing import Any

CARD = "README.md"

_CARD = """\
# {name}

Version `{version}`. A convolutional network of {parameters:,} parameters that gives, for one grey face of 48x48 pixels,
the probabilities of {emotions}. Architecture: [training/networks/{name}.py](../../training/networks/{name}.py).

## Figures

As served, with weights in half precision, on FER2013's split {split} ({images:,} images).

| figure | value |
|---|---|
{figures}

| emotion | images | precision | recall | F1 |
|---|---|---|---|---|
{by_emotion}

The epoch and the temperature were chosen on this same split, so expect slightly less on unseen images. Intervals are
95 % bootstrap intervals over the images. Leaked images are those of {split} that are, pixel for pixel, also in the
split {training_split}, whose copies were left out of training. The temperature ({temperature:.3f}) divides the logits,
so that confidence means frequency; it is built into the last layer. {ferplus}

{speed}

The same figures from your copy of the data:

    python -m training.evaluate --model models/{name} --data PATH --split {split}

![Confusion matrix](confusion.png)

![Reliability](reliability.png)

## How it was made

    KERAS_BACKEND={backend} python -m training.train --data PATH --network {name} --output models/{name} {options}

Data: FER2013, split {training_split}: {training_images:,} of its {images_before:,} images; {left_out}.
Augmentation "{augmentation}" ([training/augmentation.py][augmentation]); labels one-hot{smoothing}.
Adam, {schedule} learning rate {rate:g}, batches of {batch_size}, {precision}, seed {seed}.
{epochs_done} of {epochs} epochs done in {hours:.1f} hours; epoch {best_epoch}, the best on {split}, was exported.
Code: {commit}. Backend: {backend_version}.

![Loss and accuracy by epoch](curves.png)

## Intended use and limits

A summary of the expressions shown in a recording, read together with the picture. Not a measure of what a person
feels, and not to be used for decisions about a person. FER2013's labels are noisy (the majority of ten raters of FER+
agrees with them in 64 % of the images), disgust is rare in it, and its faces are those of web searches of 2013: ages,
skin tones and head poses that are rare there are recognised less well.

[augmentation]: ../../training/augmentation.py
"""

_FERPLUS = """\
FER+ is a second labelling of the same
images by ten people; its accuracy is over the images whose majority chose one of the seven emotions
(training/ferplus.py)."""


def card(metadata: Mapping[str, Any]) -> str:
    """Markdown for README.md in the network's folder.

    Args:
        metadata: the content of metadata.json, with trained as training.train fills it and validation as
            training.report does.
    """
    trained, validation = metadata["trained"], metadata["validation"]
    recipe = trained["recipe"]
    smoothing = f", smoothed by {recipe['label_smoothing']:g}" if recipe["label_smoothing"] else ""
    return _CARD.format(
        name=metadata["name"],
        version=metadata["version"],
        parameters=metadata["parameters"],
        emotions=", ".join(metadata["emotions"]),
        split=validation["split"],
        images=validation["images"],
        figures="\n".join(f"| {name} | {value} |" for name, value in _figures(validation)),
        by_emotion="\n".join(_by_emotion(validation)),
        temperature=trained["temperature"],
        speed=_speed(validation["speed"]),
        backend=trained["backend"].partition(",")[0],
        backend_version=trained["backend"],
        options=" ".join(f"--{name.replace('_', '-')} {value}" for name, value in trained["options"].items()),
        ferplus=_FERPLUS if "ferplus_accuracy" in validation else "",
        training_split=trained["split"],
        training_images=trained["images"],
        images_before=trained["left_out"]["images"],
        left_out=_left_out(trained["left_out"]),
        augmentation=recipe["augmentation"],
        smoothing=smoothing,
        schedule=recipe["schedule"],
        rate=recipe["rate"],
        batch_size=recipe["batch_size"],
        precision=trained["precision"],
        seed=recipe["seed"],
        epochs_done=len(trained["epochs"]),
        epochs=recipe["epochs"],
        hours=sum(epoch["seconds"] for epoch in trained["epochs"]) / 3600,
        best_epoch=trained["best_epoch"],
        commit=trained["commit"] or "not from a git checkout",
    )


def _figures(validation: Mapping[str, Any]) -> list[tuple[str, str]]:
    def with_interval(name: str) -> str:
        low, high = validation[f"{name}_interval"]
        return f"{validation[name]:.2%} ({low:.2%} to {high:.2%})"

    leaked = validation["leaked_images"]
    ferplus = validation.get("ferplus_accuracy")
    return [
        ("accuracy", with_interval("accuracy")),
        (f"accuracy without the {leaked} leaked images", f"{validation['accuracy_without_leaked']:.2%}"),
        ("macro-F1", with_interval("macro_f1")),
        ("expected calibration error", f"{validation['ece']:.3f}"),
        ("the same before temperature scaling", f"{validation['ece_before_scaling']:.3f}"),
        ("cross-entropy", f"{validation['cross_entropy']:.3f}"),
        *([] if ferplus is None else [("accuracy against FER+", f"{ferplus:.2%}")]),
        ("computation per face", f"{validation['flops'] / 1e6:.0f} million floating-point operations"),
    ]


def _left_out(cleaned: Mapping[str, int]) -> str:
    reasons = {
        "held_out_copies": "also in a validation or test split",
        "repeated": "repeated",
        "conflicting": "there with different labels",
        "blank": "blank",
    }
    return "left out are " + ", ".join(f"{cleaned[name]:,} {reason}" for name, reason in reasons.items())


def _by_emotion(validation: Mapping[str, Any]) -> list[str]:
    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}"

    rows = zip(validation["recall"], validation["confusion_matrix"], strict=True)
    return [
        f"| {emotion} | {sum(counts):,} | {percent(validation['precision'][emotion])} "
        f"| {percent(validation['recall'][emotion])} | {percent(validation['f1'][emotion])} |"
        for emotion, counts in rows
    ]


def _speed(speed: Mapping[str, Any]) -> str:
    return (
        f"When the report was written the network classified {speed['faces_per_s']:,} faces/s in batches of "
        f"{speed['batch_size']} on {speed['cores']} cores of an {speed['processor']} ({speed['backend']})."
    )
