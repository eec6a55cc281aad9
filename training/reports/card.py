"""The model card: what a person should know about a network before trusting it, written from its metadata."""

from collections.abc import Iterable, Mapping
from typing import Any

from emotion_timeline.labels import Labels, network_of

CARD = "README.md"

_CARD = """\
# {folder}

Version `{version}`. A convolutional network of {parameters:,} parameters that gives, for one grey face of 48x48 pixels,
the probabilities of {emotions}.
Architecture: [training/networks/{network}.py](../../training/networks/{network}.py).

{labels}## Figures

As served, with weights in half precision, on FER2013's split {split} ({images:,} images).
{measured}
Intervals are 95 % bootstrap intervals over the images. Leaked images are those of {split} that are, pixel for pixel,
also in the split {training_split}; the copies were left out of training.
{ferplus}
{head}{figures}

{by_emotion}

The temperature ({temperature:.3f}) divides the logits, so that confidence means frequency; it is built into the last
layer.{offsets}

![Confusion matrix](confusion.png)

![Reliability](reliability.png)

### Cost

{speed}

### The same figures from your copy of the data

    python -m training.evaluate --model models/{folder} --data PATH --split {split}{votes}
{video}
## How it was made

    python -m training.train --data PATH --network {network} --output models/{folder}{votes_to_train}{options}
{teachers}
Trained on {training_images} of the {images_before:,} images of FER2013's split {training_split}. Left out were
{left_out}.

{recipe}

{epochs_done} of {epochs} epochs done in {hours:.1f} hours; epoch {best_epoch}, the best on {split}, was exported.

{made_with}

![Loss and accuracy by epoch](curves.png)

## Intended use and limits

A summary of the expressions shown in a recording, read together with the picture. Not a measure of what a person
feels, and not to be used for decisions about a person. FER2013's labels are noisy (ten people who labelled its images
again, for FER+, often chose otherwise), disgust is rare in it, and its faces are those of web searches of 2013: ages,
skin tones and head poses that are rare there are recognised less well.
"""

_OFFSETS = """ So are
offsets of the logits ({raised}): the least by which, on {split}, {recall:.0%} or more of each emotion's images are
recognised."""
_LABELS = """\
It has two heads, for two sets of labels of the same images. Timelines have those of `ferplus`, unless others are asked
for.

{meanings}

"""
_CHOSEN = """\
The epoch and the temperature were chosen on this same split, so expect slightly less on unseen images."""
_CROSS_FITTED = """\
The epoch was chosen on this same split, so expect slightly less on unseen images. Temperatures and offsets were chosen
on it, too, but not for these figures: each image is measured with those that the other folds, without it, would
have chosen, where images with the same pixels lie in one fold."""
_FERPLUS = """
### `ferplus`: the second head, against the votes of FER+'s ten raters

{figures}

{by_emotion}

A choice with a single vote is an outlier and loses it; the majority is what then has more than half of the votes
([data/ferplus.py](../../training/data/ferplus.py)). By FER+'s own protocol contempt counts as an eighth emotion, which
this network can't name, so that it is always wrong there. The share error is half the sum over emotions of the absolute
differences between predicted and voted shares, averaged over the images whose votes are mostly for the seven: 0 where
they are the same, 1 where they have nothing in common. The share calibration error compares mean predicted and mean
voted shares in 15 bins of the prediction, averaged over images and emotions. The expected calibration error asks how
often the majority is named: shares of people are smaller than that, for a majority is rarely all.

Where the {contempt} images go whose majority is contempt: {contempt_goes}.

The temperature ({temperature:.3f}) and the offsets of the logits
({offsets})
are those with the least cross-entropy to the shares.

![Confusion matrix of the second head](confusion-ferplus.png)

![Reliability of the second head](reliability-ferplus.png)
"""
_FIRST = """\
### `fer2013`: the first head, against FER2013's own labels

"""

_VIDEO = """
## On video

`{file}` through the whole pipeline, every frame, unsmoothed. Each change of the likeliest emotion that the face does
not show is flicker.

{table}

![The networks on {file}](video.png)

    python -m training.video models/{folder}{others} --video {file}
"""

_PRETRAINED = """
It began with the weights of {source};
its last layers began with random ones.
"""
_TEACHERS = """
{share:.0%} of what it learnt are answers of other networks: {teachers}.
"""
_GENERATIONS = """\
All of them, from the first on:

    python -m training.generations --data PATH{votes} --output models/{folder} --networks {networks}
"""

_REASONS = {
    "repeated": "repeated",
    "conflicting": "there with different labels",
    "blank": "blank",
}


def card(metadata: Mapping[str, Any], folder: str) -> str:
    """Markdown for README.md in the network's folder.

    Args:
        metadata: the content of metadata.json, with trained as training.train fills it and validation as
            training.reports.report does.
        folder: name of the network's folder.
    """
    trained, validation = metadata["trained"], metadata["validation"]
    has_votes = "ferplus_accuracy" in validation
    by_emotion = ("emotion", "images", "precision", "recall", "F1")
    return _CARD.format(
        folder=folder,
        network=metadata["name"],
        version=metadata["version"],
        parameters=metadata["parameters"],
        emotions=", ".join(metadata["emotions"]),
        split=validation["split"],
        images=validation["images"],
        figures=_table(("figure", "value"), _figures(validation)),
        by_emotion=_table(by_emotion, _by_emotion(validation)),
        labels=_labels(metadata),
        measured=_CROSS_FITTED if "calibrated_on" in trained else _CHOSEN,
        head=_FIRST if "ferplus" in validation else "",
        training_split=trained["split"],
        temperature=trained["temperature"],
        offsets=_offsets(trained, validation["split"]),
        ferplus=_ferplus(trained, validation, by_emotion),
        video=_video(validation["video"], folder) if "video" in validation else "",
        votes=" --ferplus VOTES" if has_votes else "",
        votes_to_train=" --ferplus VOTES" if trained["recipe"].get("votes") else "",
        speed=_speed(validation["speed"]),
        options=_options(trained),
        teachers=_teachers(metadata, folder),
        training_images=f"{trained['images']:,}",
        images_before=trained["left_out"]["images"],
        left_out=_left_out(trained),
        recipe=_table(("recipe", ""), ((name.replace("_", " "), f"{v}") for name, v in trained["recipe"].items())),
        epochs_done=len(trained["epochs"]),
        epochs=trained["recipe"]["epochs"],
        hours=sum(epoch["seconds"] for epoch in trained["epochs"]) / 3600,
        best_epoch=trained["best_epoch"],
        made_with=_table(
            ("from epoch", "precision", "backend", "commit of this code"),
            ((f"{m['epoch']}", m["precision"], m["backend"], m["commit"] or "unknown") for m in trained["made_with"]),
        ),
    )


def _options(trained: Mapping[str, Any]) -> str:
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in trained["options"].items())
    if trained.get("teachers"):
        options += "".join([" --teachers", *(f" models/{name}" for name in trained["teachers"])])
    return options + (f" --begins-with models/{trained['begins_with']}" if trained.get("begins_with") else "")


def _labels(metadata: Mapping[str, Any]) -> str:
    given = [labels for labels in Labels if labels in metadata.get("labels", ())]
    meanings = "\n".join(f"- `{labels}`: {labels.meaning}" for labels in given)
    return _LABELS.format(meanings=meanings) if len(given) > 1 else ""


def _offsets(trained: Mapping[str, Any], split: str) -> str:
    raised = [f"{emotion} {offset:.2f}" for emotion, offset in trained.get("offsets", {}).items() if offset]
    return _OFFSETS.format(raised=", ".join(raised), recall=trained["recipe"]["recall"], split=split) if raised else ""


def _teachers(metadata: Mapping[str, Any], folder: str) -> str:
    trained = metadata["trained"]
    parts = []
    if trained.get("pretrained") and not trained.get("begins_with"):
        parts.append(_PRETRAINED.format(source=trained["pretrained"]))
    if trained.get("teachers"):
        teachers = ", ".join(f"`{version}`" for version in trained["teachers"].values())
        parts.append(_TEACHERS.format(share=trained["recipe"]["taught"], teachers=teachers))
    generations = trained.get("generations") or []
    if len(generations) > 1:
        votes = " --ferplus VOTES" if trained["recipe"]["votes"] else ""
        parts.append(_GENERATIONS.format(networks=" ".join(generations), folder=folder, votes=votes))
    return "".join(parts)


def _ferplus(trained: Mapping[str, Any], validation: Mapping[str, Any], head: tuple[str, ...]) -> str:
    if "ferplus" not in validation:
        return ""
    found = validation["ferplus"]
    goes = ", ".join(f"{emotion} {count}" for emotion, count in found["contempt"].items() if count)
    return _FERPLUS.format(
        figures=_table(
            ("figure", "second head", "without leaked images", "first head"),
            _agreement(found, validation["ferplus_first_head"]),
        ),
        by_emotion=_table(head, _by_emotion(found)),
        contempt=sum(found["contempt"].values()),
        contempt_goes=goes or "there are none",
        temperature=trained["ferplus_temperature"],
        offsets=", ".join(f"{emotion} {offset:+.2f}" for emotion, offset in trained["ferplus_offsets"].items()),
    )


def _agreement(second: Mapping[str, Any], first: Mapping[str, Any]) -> list[tuple[str, ...]]:
    names = {
        f"agreement with the majority, over the seven ({second['images']:,} images)": ("accuracy", ".2%"),
        f"the same by FER+'s protocol, over eight ({second['eight_images']:,} images)": ("eight_accuracy", ".2%"),
        "macro-F1 over the seven": ("macro_f1", ".2%"),
        f"share error ({second['share_images']:,} images)": ("share_error", ".3f"),
        "share calibration error": ("share_calibration_error", ".3f"),
        "expected calibration error": ("ece", ".3f"),
    }
    heads = (second, second.get("without_leaked"), first)
    return [(what, *(_interval(head, key, form) for head in heads)) for what, (key, form) in names.items()]


def _interval(figures: Mapping[str, Any] | None, name: str, form: str = ".2%") -> str:
    if figures is None or figures.get(name) is None:
        return "-"
    low, high = figures[f"{name}_interval"]
    return f"{figures[name]:{form}} ({low:{form}} to {high:{form}})"


def _video(video: Mapping[str, Any], folder: str) -> str:
    rows = [
        (
            f"`{network['version']}`",
            f"{network['frames']}",
            f"{network['changes_per_s']:.2f}",
            ", ".join(f"{emotion} ({frames})" for emotion, frames in network["runs"]),
        )
        for network in video["networks"]
    ]
    table = _table(("network", "frames", "changes per second", "likeliest emotion (frames)"), rows)
    folders = dict.fromkeys(network_of(network["version"]).rpartition("-")[0] for network in video["networks"])
    others = "".join(f" models/{other}" for other in folders if other != folder)
    others += " --labels " + " ".join(video["labels"]) if "labels" in video else ""
    return _VIDEO.format(file=video["file"], table=table, folder=folder, others=others)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _figures(validation: Mapping[str, Any]) -> list[tuple[str, str]]:
    leaked, ferplus = validation["leaked_images"], validation.get("ferplus_accuracy")
    images = validation.get("ferplus_images", 0)
    without = [("accuracy", "accuracy_without_leaked"), ("macro-F1", "macro_f1_without_leaked")]
    return [
        ("accuracy", _interval(validation, "accuracy")),
        ("macro-F1", _interval(validation, "macro_f1")),
        *(
            (f"{what} without the {leaked} leaked images", _interval_if_known(validation, name))
            for what, name in without
            if name in validation
        ),
        ("expected calibration error", f"{validation['ece']:.3f}"),
        ("the same before calibration", f"{validation['ece_before_scaling']:.3f}"),
        ("cross-entropy", f"{validation['cross_entropy']:.3f}"),
        *([] if ferplus is None else [(f"agreement with FER+'s majority ({images:,} images)", f"{ferplus:.2%}")]),
        ("computation per face", f"{validation['flops'] / 1e6:.0f} million floating-point operations"),
    ]


def _interval_if_known(validation: Mapping[str, Any], name: str) -> str:
    """Without it in reports from before it was computed."""
    known = f"{name}_interval" in validation or validation[name] is None
    return _interval(validation, name) if known else f"{validation[name]:.2%}"


def _by_emotion(validation: Mapping[str, Any]) -> list[tuple[str, ...]]:
    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}"

    rows = zip(validation["recall"], validation["confusion_matrix"], strict=True)
    return [
        (emotion, f"{sum(counts):,}", *(percent(validation[name][emotion]) for name in ("precision", "recall", "f1")))
        for emotion, counts in rows
    ]


def _left_out(trained: Mapping[str, Any]) -> str:
    left_out = trained["left_out"]
    copies = f"{left_out['held_out_copies']:,} that are also in {' or '.join(left_out['held_out'])}"
    thinned = left_out["kept"] - trained["images"]
    others = [f"{left_out[name]:,} {reason}" for name, reason in _REASONS.items()]
    return ", ".join([copies, *others, *([f"{thinned:,} at regular distances, to train faster"] if thinned else [])])


def _speed(speed: Mapping[str, Any]) -> str:
    return (
        f"When the report was written the network classified {speed['faces_per_s']:,} faces/s in batches of "
        f"{speed['batch_size']} on {speed['cores']} cores of an {speed['processor']} ({speed['backend']})."
    )
