"""How a recording is to be analysed, as forms and other clients write it: texts, all of them optional."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from emotion_timeline.clip import Clip
from emotion_timeline.errors import VideoError
from emotion_timeline.labels import Labels
from web.http.problems import Problem

NAMES = ("sample_hz", "clip_start_s", "clip_end_s", "labels")
"""The fields of a form that are read here."""

MAX_SAMPLE_HZ = 1000


@dataclass(frozen=True)
class Options:
    """How to analyse a recording.

    Attributes:
        sample_hz: frames per second to analyse; None for all.
        clip_start_s: start of the stretch to analyse, in seconds from the first frame; None for the recording's.
        clip_end_s: its end, exclusive; None for the recording's.
        labels: whose labels to give; None for what the settings say.
    """

    sample_hz: float | None = None
    clip_start_s: float | None = None
    clip_end_s: float | None = None
    labels: Labels | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Options":
        """What as_dict gave, perhaps in an earlier release, and a database kept as JSON."""
        labels = fields.get("labels")
        return cls(**{**fields, "labels": Labels(labels) if labels else None})

    @property
    def clip(self) -> Clip:
        """The stretch."""
        return Clip(self.clip_start_s, self.clip_end_s)

    def as_dict(self) -> dict[str, Any]:
        """For NewVideo, and for JSON."""
        return asdict(self)


def read(texts: Mapping[str, str]) -> Options:
    """The options in a form.

    Args:
        texts: by name; what isn't there, or is empty, was not wished for.

    Raises:
        Problem: 400, naming the one that can't be used.
    """
    options = Options(
        sample_hz=_read_sample_hz(texts.get("sample_hz", "")),
        clip_start_s=_read_time_s("clip_start_s", texts.get("clip_start_s", "")) or None,  # 0 is the start anyway
        clip_end_s=_read_time_s("clip_end_s", texts.get("clip_end_s", "")),
        labels=read_labels(texts.get("labels", "")),
    )
    try:
        _ = options.clip
    except VideoError as exc:
        raise Problem(400, exc.code, exc.message) from exc
    return options


def read_labels(text: str) -> Labels | None:
    """Whose labels to give; None for an empty text: what the settings say.

    Raises:
        Problem: 400, there are no such labels.
    """
    if not text.strip():
        return None
    try:
        return Labels(text.strip())
    except ValueError as exc:
        sentence = f"`labels` was expected to be {' or '.join(Labels)}, but is {text[:40]!r}."
        raise Problem(400, "bad_labels", sentence) from exc


def _read_sample_hz(text: str) -> float | None:
    """Samples a second; None for an empty text: every frame."""
    if not text.strip():
        return None
    value = _number(text)
    if not 0 < value <= MAX_SAMPLE_HZ:
        sentence = f"`sample_hz` was expected to be a number above 0 and up to {MAX_SAMPLE_HZ}, but is {text[:40]!r}."
        raise Problem(400, "bad_sample_hz", sentence)
    return value


def _read_time_s(name: str, text: str) -> float | None:
    if not text.strip():
        return None
    value = _number(text)
    if not 0 <= value < math.inf:
        sentence = f"`{name}` was expected to be a time in seconds from the first frame, but is {text[:40]!r}."
        raise Problem(400, "bad_clip", sentence)
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
