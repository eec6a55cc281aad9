"""The model card: what a person should know about a network before trusting it, written from its metadata."""

from collections.abc import Iterable, Mapping
from typing import Any

CARD = "README.md"

_CARD = """\
# {folder}

Version `{version}`. A convolutional network of {parameters:,} parameters that gives, for one grey face of 48x48 pixels,
the probabilities of {emotions}.
Architecture: [training/networks/{network}.py](../../training/networks/{network}.py).

## Figures

As served, with weights in half precision, on FER2013's split {split} ({images:,} images).

{figures}

{by_emotion}

The epoch and the temperature were chosen on this same split, so expect slightly less on unseen images. Intervals are
95 % bootstrap intervals over the images. Leaked images are those of {split} that are, pixel for pixel, also in the
split {training_split}; the copies were left out of training. The temperature ({temperature:.3f}) divides the logits, so
that confidence means frequency; it is built into the last layer. {offsets}{ferplus}

{speed}

The same accuracies and errors from your copy of the data:

    python -m training.evaluate --model models/{folder} --data PATH --split {split}{votes}

![Confusion matrix](confusion.png)

![Reliability](reliability.png)
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

_OFFSETS = """So are
offsets of the logits ({raised}): the least by which, on this same split, {recall:.0%} or more of each emotion's images
are recognised. """
_FERPLUS = """\
FER+ is a second labelling of the same
images by ten people; the agreement is over the {images:,} images whose majority chose one of the seven emotions
([training/ferplus.py](../../training/ferplus.py)).{second}"""
_SECOND = """ The network has two heads: the first learnt FER2013's own labels, and its answers are served; the
second learnt FER+'s votes."""
_SECOND_OFFSETS = """ The second head's temperature and offsets
({offsets}),
by which its mean probabilities are the shares of FER+'s majorities, were also chosen on this same split."""

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
            training.report does.
        folder: name of the network's folder.
    """
    trained, validation = metadata["trained"], metadata["validation"]
    has_votes = "ferplus_accuracy" in validation
    return _CARD.format(
        folder=folder,
        network=metadata["name"],
        version=metadata["version"],
        parameters=metadata["parameters"],
        emotions=", ".join(metadata["emotions"]),
        split=validation["split"],
        images=validation["images"],
        figures=_table(("figure", "value"), _figures(validation)),
        by_emotion=_table(("emotion", "images", "precision", "recall", "F1"), _by_emotion(validation)),
        training_split=trained["split"],
        temperature=trained["temperature"],
        offsets=_offsets(trained),
        ferplus=_ferplus(trained, validation),
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


def _offsets(trained: Mapping[str, Any]) -> str:
    raised = [f"{emotion} {offset:.2f}" for emotion, offset in trained.get("offsets", {}).items() if offset]
    return _OFFSETS.format(raised=", ".join(raised), recall=trained["recipe"]["recall"]) if raised else ""


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


def _ferplus(trained: Mapping[str, Any], validation: Mapping[str, Any]) -> str:
    if "ferplus_accuracy" not in validation:
        return ""
    second = _SECOND if "ferplus_head_accuracy" in validation else ""
    if trained.get("ferplus_offsets"):
        offsets = ", ".join(f"{emotion} {offset:+.2f}" for emotion, offset in trained["ferplus_offsets"].items())
        second += _SECOND_OFFSETS.format(offsets=offsets)
    return _FERPLUS.format(images=validation["ferplus_images"], second=second)


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
    others = "".join(f" models/{network['version'].rpartition('-')[0]}" for network in video["networks"][1:])
    return _VIDEO.format(file=video["file"], table=table, folder=folder, others=others)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _figures(validation: Mapping[str, Any]) -> list[tuple[str, str]]:
    def with_interval(name: str) -> str:
        low, high = validation[f"{name}_interval"]
        return f"{validation[name]:.2%} ({low:.2%} to {high:.2%})"

    leaked = validation["leaked_images"]
    ferplus, second = validation.get("ferplus_accuracy"), validation.get("ferplus_head_accuracy")
    return [
        ("accuracy", with_interval("accuracy")),
        (f"accuracy without the {leaked} leaked images", f"{validation['accuracy_without_leaked']:.2%}"),
        ("macro-F1", with_interval("macro_f1")),
        ("expected calibration error", f"{validation['ece']:.3f}"),
        ("the same before temperature scaling", f"{validation['ece_before_scaling']:.3f}"),
        ("cross-entropy", f"{validation['cross_entropy']:.3f}"),
        *([] if ferplus is None else [("agreement with FER+'s majority", f"{ferplus:.2%}")]),
        *([] if second is None else [("the same, of the second head", f"{second:.2%}")]),
        ("computation per face", f"{validation['flops'] / 1e6:.0f} million floating-point operations"),
    ]


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
