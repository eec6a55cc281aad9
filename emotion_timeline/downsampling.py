"""Emotions over time, condensed: what each face showed in every half second, with the extremes kept.

A segment's rows become cells once, when they are stored, and a chart of hours reads the cells alone. A single frame is
a cell as well, so one function condenses frames to cells and cells to the points of a chart. Cells lie on a grid that
begins at the recording's first frame, so cells of different segments and faces can be put together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import RANKING, Observations, Status

CELL_S = 0.5
"""Length of a stored cell, seconds. A 3-hour recording has 21,600 for each face: 2.9 MB, a fourteenth of its rows."""

FACE_CELL = np.dtype(
    [
        ("face", "<i4"),  # tracklet within the segment as stored; as read, the face's number
        ("first", "<i4"),  # places of its first and last frame in the order of sampled frames
        ("last", "<i4"),
        ("frames", "<i4"),  # frames with probabilities
        ("emotions", "<i4", (len(EMOTIONS),)),  # of these, frames in which each emotion is the most probable
        ("timestamp_s", "<f8"),  # mean of those frames, seconds from the video's first frame
        ("lowest", "<f4", (len(EMOTIONS),)),
        ("mean", "<f4", (len(EMOTIONS),)),
        ("highest", "<f4", (len(EMOTIONS),)),
    ]
)
"""Packed and little-endian, as it is stored."""

FRAME_CELL = np.dtype([("timestamp_s", "<f8"), ("frames", "<i4", (len(Status),))])
"""Time of the first sampled frame, and the number of frames by status, each counted with its best face."""

Cells = NDArray[np.void]
"""A one-dimensional array of dtype FACE_CELL or FRAME_CELL, in order of time within each face."""


def single_frames(observations: Observations) -> tuple[Cells, Cells]:
    """Every row with probabilities, and every sampled frame, as a cell of its own.

    Args:
        observations: rows of consecutive sampled frames, in order of frame.

    Returns:
        FACE_CELL (rows with probabilities,) with the tracklet as face, and FRAME_CELL (sampled frames,).
    """
    _, starts, places = np.unique(observations["frame"], return_index=True, return_inverse=True)
    ok = observations["status"] == Status.OK
    faces = np.zeros(np.count_nonzero(ok), FACE_CELL)
    faces["face"], faces["timestamp_s"], faces["frames"] = (
        observations["tracklet"][ok],
        observations["timestamp_s"][ok],
        1,
    )
    faces["first"] = faces["last"] = places[ok]
    strongest = observations["probabilities"][ok].argmax(axis=1) if len(faces) else np.zeros(0, np.intp)
    faces["emotions"][np.arange(len(faces)), strongest] = 1
    faces["lowest"] = faces["mean"] = faces["highest"] = observations["probabilities"][ok]
    frames = np.zeros(len(starts), FRAME_CELL)
    frames["timestamp_s"] = observations["timestamp_s"][starts]
    if len(starts):
        ranks = np.argsort(RANKING)[observations["status"]]
        best = np.array(RANKING)[np.minimum.reduceat(ranks, starts)]
        frames["frames"][np.arange(len(starts)), best] = 1
    return faces, frames


def slots(timestamps_s: NDArray[np.float64], width_s: float) -> NDArray[np.int64]:
    """Number of the stretch of this length that each time lies in."""
    return np.floor(timestamps_s / width_s).astype(np.int64)


def condense_faces(cells: Cells, groups: NDArray[np.int64]) -> Cells:
    """Put the cells of each face and group together: means weighted by frames, extremes kept.

    Args:
        cells: FACE_CELL (n,), in any order.
        groups: int64 (n,), growing with time.

    Returns:
        FACE_CELL, by face and time.
    """
    order = np.lexsort((groups, cells["face"]))
    cells, groups = cells[order], groups[order]
    starts = _starts(cells["face"], groups)
    condensed = cells[starts]
    if not len(starts):
        return condensed
    weights = cells["frames"].astype(np.float64)
    for name in ("frames", "emotions"):
        condensed[name] = np.add.reduceat(cells[name], starts)
    for name in ("timestamp_s", "mean"):
        weighted = (cells[name].T * weights).T
        condensed[name] = (np.add.reduceat(weighted, starts).T / condensed["frames"]).T
    for name, extreme in (("first", np.minimum), ("lowest", np.minimum), ("last", np.maximum), ("highest", np.maximum)):
        condensed[name] = extreme.reduceat(cells[name], starts)
    return condensed


def condense_frames(cells: Cells, groups: NDArray[np.int64]) -> Cells:
    """Count the frames of each group together.

    Args:
        cells: FRAME_CELL (n,), in order of time.
        groups: int64 (n,), growing with time.
    """
    starts = _starts(groups)
    condensed = cells[starts]
    if len(starts):
        condensed["frames"] = np.add.reduceat(cells["frames"], starts)
    return condensed


def condense(observations: Observations) -> tuple[Cells, Cells]:
    """A segment's rows as cells of CELL_S; see single_frames."""
    faces, frames = single_frames(observations)
    return (
        condense_faces(faces, slots(faces["timestamp_s"], CELL_S)),
        condense_frames(frames, slots(frames["timestamp_s"], CELL_S)),
    )


def longest_runs(cells: Cells) -> dict[str, tuple[float, float]]:
    """Where a face shows each emotion for longest without a break, from the first to the last of its cells in a row.

    Args:
        cells: FACE_CELL of one face, in order of time. One shows the emotion that most of its frames show.

    Returns:
        Seconds by emotion, without those that no cell shows.
    """
    shown = cells["emotions"].argmax(axis=1) if len(cells) else np.zeros(0, np.intp)
    breaks = np.flatnonzero((shown[1:] != shown[:-1]) | (cells["first"][1:] > cells["last"][:-1] + 1)) + 1
    runs: dict[str, tuple[float, float]] = {}
    for run in np.split(np.arange(len(cells)), breaks):
        if len(run):
            emotion = EMOTIONS[shown[run[0]]]
            begin_s, end_s = cells["timestamp_s"][run[[0, -1]]].tolist()
            longest = runs.get(emotion, (0.0, -1.0))
            runs[emotion] = (begin_s, end_s) if end_s - begin_s > longest[1] - longest[0] else longest
    return runs


def _starts(*keys: NDArray[np.integer]) -> NDArray[np.intp]:
    """Where one of the sorted keys changes, from 0 on."""
    if not len(keys[0]):
        return np.zeros(0, np.intp)
    changes: Sequence[NDArray[np.bool_]] = [key[1:] != key[:-1] for key in keys]
    return np.flatnonzero(np.concatenate([[True], np.logical_or.reduce(changes)]))
