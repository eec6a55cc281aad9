"""What the pipeline says about one face in one frame, as rows of a NumPy structured array.

Columns rather than objects: three hours of an un-seekable recording stay under 30 MB, so a segment's rows can be
held until its one transaction writes them.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.emotions import EMOTIONS


class Status(IntEnum):
    """Why a row has, or lacks, probabilities."""

    OK = 0
    NO_FACE = 1
    TOO_SMALL = 2
    DECODE_ERROR = 3


RANKING = (Status.OK, Status.TOO_SMALL, Status.NO_FACE, Status.DECODE_ERROR)
"""From the best: a frame with several faces has the status of its best one."""


OBSERVATION = np.dtype(
    [
        ("frame", "i4"),  # 0-based index in presentation order over the whole video
        ("timestamp_s", "f8"),  # seconds from the video's first frame
        ("face", "i2"),  # 0-based within the frame, left to right; -1 where there is none
        ("status", "u1"),  # a Status
        ("confidence", "f4"),  # the detector's score, 0-1; NaN without a face
        ("box", "f4", (4,)),  # x, y, width, height in pixels of the recording as displayed; NaN without a face
        ("probabilities", "f4", (len(EMOTIONS),)),  # in the order of EMOTIONS; NaN unless status is OK
        ("tracklet", "i4"),  # face track within the segment; -1 without a face
        ("begins_shot", "?"),  # the frame is the first of a shot, or the segment's first one with a picture
        ("picture", "i4", (2,)),  # width and height of the frame's own picture as displayed; 0 without one
        ("turn", "i1"),  # quarters clockwise after which its faces stand upright; -1 where that isn't known
    ]
)

Observations = NDArray[np.void]
"""A one-dimensional array of dtype OBSERVATION, in the order of frame and face."""


def blank(rows: int) -> Observations:
    """Rows without a face: every field blank, to be filled in.

    Args:
        rows: how many.

    Returns:
        OBSERVATION (rows,) with frame 0, timestamp 0, status NO_FACE, -1 and NaN elsewhere.
    """
    observations = np.zeros(rows, dtype=OBSERVATION)
    observations["face"] = -1
    observations["status"] = Status.NO_FACE
    observations["tracklet"] = observations["turn"] = -1
    for field in ("confidence", "box", "probabilities"):
        observations[field] = np.nan
    return observations
