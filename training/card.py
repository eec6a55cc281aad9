"""The model card: what a person should know about a network before trusting it, written from its metadata."""

from collections.abc import Mapping
from typing import Any

_CARD = """\
# {name}

Version `{version}`. A convolutional network of {parameters:,} parameters that gives, for one grey face of 48x48 pixels,
the probabilities of {emotions}.
Architecture: training/networks/{name}.py.

## Figures

As served, with weights in half precision, on FER2013's split {split} ({images:,} images), by
`python -m training.evaluate --model models/{name} --data PATH --split {split} --json`:

| accuracy | macro-F1 | expected calibration error |
|---|---|---|
| {accuracy:.1%} | {macro_f1:.3f} | {ece:.3f} |

Recall: {recall}.

The epoch was chosen on this same split, so expect slightly less on unseen images. Training images that are pixel for
pixel also in {split} were left out of training.

## How it was made

    KERAS_BACKEND={backend} python -m training.train --data PATH --output models/{name} \\
        {options}

Where --stages changes in the table below, the run was stopped and resumed with the new value, which decides the
learning rate, too. {unfinished}

{data}: {training_images:,} images, mirrored and shifted at random.
The pixels are scaled to the network's range by its first layer. {growth}

| epoch | width | --stages | loss | accuracy on {split} |
|---|---|---|---|---|
{epochs}

## Intended use and limits

A summary of the expressions shown in a recording, read together with the picture. Not a measure of what a person
feels, and not to be used for decisions about a person. FER2013's labels are noisy (the majority of ten raters agrees
with them in 64 % of the images), disgust is rare in it, and its faces are those of web searches of 2013: ages, skin
tones and head poses that are rare there are recognised less well.
"""

_GROWTH = """\
To save time it was trained narrow first and
then widened twofold without changing its function (Net2Net, training/growth.py); batch normalization
was used in training and folded into the weights afterwards (training/folding.py), so the network served is the plain
one."""

_UNFINISHED = """\
Training was stopped before its last stage and the
network exported with --export-only: it has its full size, but learned with part of it only."""


def card(metadata: Mapping[str, Any]) -> str:
    """Markdown for README.md in the network's folder.

    Args:
        metadata: the content of metadata.json, with trained and validation as training.train fills them.
    """
    trained, validation = metadata["trained"], metadata["validation"]
    recall = ", ".join(
        f"{emotion} {'-' if value is None else f'{value:.0%}'}" for emotion, value in validation["recall"].items()
    )
    rows = [
        f"| {e['epoch']} | {e['width']:g} | {e['stages']} | {e['loss']:.3f} | {e['accuracy']:.1%} |"
        for e in trained["epochs"]
    ]
    return _CARD.format(
        name=metadata["name"],
        version=metadata["version"],
        parameters=metadata["parameters"],
        emotions=", ".join(metadata["emotions"]),
        split=validation["split"],
        images=validation["images"],
        accuracy=validation["accuracy"],
        macro_f1=validation["macro_f1"],
        ece=validation["ece"],
        recall=recall,
        backend=trained["backend"].split(",")[0],
        options=_options(trained["settings"]),
        data=trained["data"],
        training_images=trained["images"],
        unfinished=_UNFINISHED if trained["epochs"][-1]["width"] < 1 else "",
        growth=_GROWTH if trained["settings"]["normalized"] else "",
        epochs="\n".join(rows),
    )


def _options(settings: Mapping[str, Any]) -> str:
    return " ".join(
        f"--{name.replace('_', '-')}" if value is True else f"--{name.replace('_', '-')} {value}"
        for name, value in settings.items()
        if value is not False
    )
