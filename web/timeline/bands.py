"""How good a timeline is, at a glance: where faces were found, and what is known of the network."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emotion_timeline.clip import Clip
from emotion_timeline.db import videos
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.labels import Labels, labels_of, network_of
from emotion_timeline.views import quality
from emotion_timeline.views.quality import FrameCounts
from web.http.service import service

WIDTH, HEIGHT = 1000.0, 40.0
"""Of the band, in its own units."""

_STRETCHES = 200
_LEAST = 0.1  # of the height: what happened to one frame of a stretch is seen, too
_CALIBRATED = 0.05  # expected calibration error up to which a percentage may be read as a frequency
_RUNS = 6


@dataclass(frozen=True)
class Run:
    """A part of the recording where most frames have the same fault.

    Attributes:
        status: theirs.
        start_s: from the recording's first frame.
        end_s: likewise.
    """

    status: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Band:
    """What was analysed of the recording, from left to right, as a picture.

    Attributes:
        paths: for each status an SVG path; at each place, their heights are the shares of the statuses.
        start_s: of the picture's left edge, from the recording's first frame.
        end_s: of its right edge.
        runs: the longest parts without a usable face, in order of time.
        more: how many such parts there are beyond these.
        places: how many places the picture has.
    """

    paths: dict[str, str]
    start_s: float
    end_s: float
    runs: list[Run]
    more: int
    places: int

    @property
    def stretch_s(self) -> float:
        """Length of one place of the picture."""
        return (self.end_s - self.start_s) / self.places


@dataclass(frozen=True)
class Figures:
    """What was measured of a network on images that it wasn't trained on.

    Attributes:
        labels: whose labels it was compared with.
        split: which images.
        images: how many.
        accuracy: share of them that it labels so.
        interval: the accuracy's 95 % interval; None where it wasn't computed.
        calibration_error: mean distance between its percentages and what they mean: FER2013's between confidence and
            accuracy, FER+'s between predicted and voted shares.
        calibrated: whether its percentages may be read as frequencies.
        recall: for each emotion, the share of its images that are recognised.
        precision: for each emotion, the share of what is called so that is so.
    """

    labels: Labels
    split: str
    images: int
    accuracy: float
    interval: tuple[float, float] | None
    calibration_error: float
    calibrated: bool
    recall: dict[str, float]
    precision: dict[str, float]


def band(video_id: str) -> Band | None:
    """The band of a video that is done; None where no frame was analysed."""
    with service().database.read() as session:
        video = videos.get(session, video_id)
        duration_s = float(video.info["duration_s"])
        start_s, end_s = Clip(video.clip_start_s, video.clip_end_s).within(duration_s)
        stretches = quality.stretches(session, video_id, end_s - start_s, _STRETCHES)
    if not stretches or end_s <= start_s:
        return None
    stretches[-1] = replace(stretches[-1], end_s=end_s)
    runs = _runs(stretches)
    longest = sorted(runs, key=lambda run: run.start_s - run.end_s)[:_RUNS]
    in_order = sorted(longest, key=lambda run: run.start_s)
    return Band(_paths(stretches, start_s, end_s), start_s, end_s, in_order, len(runs) - len(in_order), len(stretches))


def _paths(stretches: list[FrameCounts], start_s: float, end_s: float) -> dict[str, str]:
    """Bars from the top down, in the order of the statuses."""
    unit = WIDTH / (end_s - start_s)
    paths = dict.fromkeys(stretches[0].frames, "")
    for stretch in stretches:
        left, right = (unit * (time_s - start_s) for time_s in (stretch.start_s, stretch.end_s))
        top = 0.0
        for status, share in _visible_shares(stretch.frames).items():
            if share:
                paths[status] += f"M{left:.2f} {top:.2f}H{right:.2f}V{top + HEIGHT * share:.2f}H{left:.2f}z"
                top += HEIGHT * share
    return {status: path for status, path in paths.items() if path}


def _visible_shares(frames: dict[str, int]) -> dict[str, float]:
    """Shares, each that isn't nothing large enough to be seen."""
    total = sum(frames.values())
    shares = {status: max(count / total, _LEAST) if count else 0.0 for status, count in frames.items()}
    return {status: share / sum(shares.values()) for status, share in shares.items()}


def _runs(stretches: list[FrameCounts]) -> list[Run]:
    runs: list[Run] = []
    before = "ok"
    for stretch in stretches:
        status = max(stretch.frames, key=stretch.frames.__getitem__)
        if status != "ok":
            start_s = runs.pop().start_s if status == before else stretch.start_s
            runs.append(Run(status, start_s, stretch.end_s))
        before = status
    return runs


def figures(name: str, version: str) -> Figures | None:
    """What is known of what made the rows of a version; None where the network's folder is gone, holds another one, or
    says nothing of it."""
    path = Path(service().settings.models_dir) / name / "metadata.json"
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        known = metadata["version"] == network_of(version)
        return _figures(metadata["validation"], labels_of(version)) if known else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the page says so; the timeline stands without it


def _figures(validation: dict[str, Any], labels: Labels) -> Figures:
    is_ferplus = labels is Labels.FERPLUS
    found = validation["ferplus"] if is_ferplus else validation
    interval = found.get("accuracy_interval")
    error = float(found["share_calibration_error" if is_ferplus else "ece"])
    return Figures(
        labels=labels,
        split=str(validation["split"]),
        images=int(found["images"]),
        accuracy=float(found["accuracy"]),
        interval=(float(interval[0]), float(interval[1])) if interval else None,
        calibration_error=error,
        calibrated=error <= _CALIBRATED,
        recall={emotion: float(found["recall"][emotion]) for emotion in EMOTIONS},
        precision={emotion: float(found["precision"][emotion]) for emotion in EMOTIONS},
    )
