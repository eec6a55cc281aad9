"""What networks say of a video, side by side: `python -m training.video models/NAME models/paper --video FILE`.

Through the whole pipeline, frame by frame and unsmoothed. The largest face is followed; how often its label changes is
counted, which on a steady expression is flicker. With `--labels` each network gives each of these sets of labels (see
emotion_timeline.labels), else those that it gives by itself. The first network's folder gets the plot and the figures,
and its card tells of them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import TimelineError
from emotion_timeline.faces.classification import METADATA
from emotion_timeline.labels import Labels
from emotion_timeline.media.plan import plan
from emotion_timeline.observations import Status
from emotion_timeline.pipeline import analyze, load_stages
from training.errors import TrainingError
from training.reports.card import CARD, card
from training.reports.export import write_metadata
from training.reports.plots import plot_timelines

PLOT = "video.png"


@dataclass(frozen=True, slots=True)
class FaceTimeline:
    """The largest face of each frame that has one.

    Attributes:
        version: of the network.
        timestamps_s: float64 (n,), seconds from the first frame.
        probabilities: float32 (n, 7).
    """

    version: str
    timestamps_s: NDArray[np.float64]
    probabilities: NDArray[np.float32]


def face_timeline(model_dir: Path, video: Path, labels: Labels | None = None) -> FaceTimeline:
    """Analyses every frame of a video.

    Args:
        model_dir: folder of the network.
        video: the file.
        labels: whose labels to give; None for those that the network gives by itself.

    Raises:
        VideoError, ModelError: one of them can't be used.
        TrainingError: there is no face in the video.
    """
    stages = load_stages(model_dir, labels=labels)
    rows = np.concatenate([block for segment in plan(video).segments for block in analyze(video, segment, stages)])
    rows = rows[rows["status"] == Status.OK]
    if not len(rows):
        raise TrainingError(f"{video} shows no face that is large enough; take a recording of one face.")
    order = np.lexsort((-rows["box"][:, 2] * rows["box"][:, 3], rows["frame"]))
    _, first = np.unique(rows["frame"][order], return_index=True)
    largest = rows[order][first]
    return FaceTimeline(stages.classifier.version, largest["timestamp_s"], largest["probabilities"])


def figures(timeline: FaceTimeline) -> dict[str, Any]:
    """What a face's timeline says in short.

    Returns:
        version, frames, seconds (from the first frame to the last), changes_per_s (of the likeliest emotion, from frame
        to frame), and runs: emotion and number of frames of each stretch with one likeliest emotion.
    """
    labels = timeline.probabilities.argmax(axis=1).tolist()
    seconds = float(timeline.timestamps_s[-1] - timeline.timestamps_s[0])
    runs = [[EMOTIONS[label], len(list(frames))] for label, frames in groupby(labels)]
    changes = (len(runs) - 1) / seconds if seconds else 0.0
    return {
        "version": timeline.version,
        "frames": len(labels),
        "seconds": seconds,
        "changes_per_s": changes,
        "runs": runs,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.

    Returns:
        Exit code: 0 done, 2 a network or the video can't be used (a sentence on stderr says why).
    """
    parser = argparse.ArgumentParser(prog="training.video", description="Compare networks on a video.")
    parser.add_argument("models", nargs="+", type=Path, help="folders; the first is the one that is reported on")
    parser.add_argument("--video", type=Path, required=True, help="a recording of one face")
    parser.add_argument("--labels", nargs="+", type=Labels, choices=list(Labels), help="whose labels of each network")
    options = parser.parse_args(arguments)
    asked: list[Labels | None] = options.labels or [None]
    try:
        timelines = [face_timeline(folder, options.video, labels) for folder in options.models for labels in asked]
    except TimelineError as exc:
        print(exc, file=sys.stderr)
        return 2
    folder = options.models[0]
    found = [figures(timeline) for timeline in timelines]
    plot_timelines({t.version: (t.timestamps_s, t.probabilities) for t in timelines}, folder / PLOT)
    metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    named = {"labels": options.labels} if options.labels else {}
    metadata["validation"]["video"] = {"file": options.video.name, **named, "networks": found}
    write_metadata(folder, metadata)
    (folder / CARD).write_text(card(metadata, folder.name), encoding="utf-8")
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
