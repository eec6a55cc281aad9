"""How long a sampled frame stands: until the next sampled frame of the recording begins, or what is analysed ends, but
at the most a second or two and a half intervals between sampled frames.

Whoever follows a face, adds up its time on screen or draws its box asks here. Like every time of a segment, the
interval and the end come from its plan, whose integers are in units of the recording's time base.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A picture that stands longer is a recording that stopped: nobody knows who is there.
MAX_STAND_S = 1.0
MAX_STAND_INTERVALS = 2.5
# After its frame's end a face may be unseen for this long: a blink of the detector, a hand before the face, a short
# turn away. With sparse samples that is one sample without the face, and uneven spacing.
MAX_UNSEEN_S = 1.0
MAX_UNSEEN_INTERVALS = 1.5

Plan = Mapping[str, Any]
"""The integers of a segment's plan; see emotion_timeline.media.plan.SegmentPlan."""


def start_s(plan: Plan) -> float:
    """When a segment begins, in seconds from the recording's first frame."""
    return max(0.0, _seconds(plan, plan["start_pts"] - plan["origin_pts"]))


def until_s(plan: Plan) -> float:
    """When the last sampled frame of a segment is followed by another, or what is analysed ends, likewise."""
    return _seconds(plan, plan["until_pts"] - plan["origin_pts"])


def interval_s(plan: Plan) -> float:
    """Seconds between sampled frames: the median over the whole recording, the same for all of its segments."""
    return _seconds(plan, plan["interval_pts"])


def longest_stand_s(sample_interval_s: float) -> float:
    """For how long a frame stands at the most.

    Args:
        sample_interval_s: seconds between sampled frames; see interval_s.
    """
    return max(MAX_STAND_S, MAX_STAND_INTERVALS * sample_interval_s)


def longest_unseen_s(sample_interval_s: float) -> float:
    """For how long a face may be unseen, from its last frame's end on, and is still the same. See longest_stand_s."""
    return max(MAX_UNSEEN_S, MAX_UNSEEN_INTERVALS * sample_interval_s)


def stands_s(timestamps_s: NDArray[np.float64], end_s: float, sample_interval_s: float) -> NDArray[np.float64]:
    """How long each of some sampled frames in a row stands.

    Args:
        timestamps_s: float64 (n,), of all sampled frames of a segment, in order.
        end_s: see until_s.
        sample_interval_s: see interval_s.

    Returns:
        float64 (n,), seconds.
    """
    spans_s = np.diff(timestamps_s, append=end_s)
    return np.clip(spans_s, 0.0, longest_stand_s(sample_interval_s))


def _seconds(plan: Plan, units: int) -> float:
    return float(units * plan["time_base_numerator"] / plan["time_base_denominator"])
