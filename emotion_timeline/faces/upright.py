"""Whether faces stand upright in a picture, or as it would show them turned by a quarter or a half.

A picture whose rotation flag is wrong shows people on their side. YuNet finds most of them, but lays the eyes on a
level line all the same, and the network is given a face on its side. So the landmarks don't tell, but the scores do: of
51 portraits with faces of 80 pixels the median is 0.94 upright, 0.81 to 0.82 on the side and 0.86 upside down.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.detection import WHOLE_PX, Detector

CHECKS = 5  # frames of a segment that are looked at: a search for each of the four ways they can be turned
_SURE = 0.7  # the least score of a turned face that counts
_MARGIN = 0.03  # by which it must be surer than the surest face of the picture as it is
_TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


def checked(frames: NDArray[np.int64]) -> frozenset[int]:
    """The frames of a segment that are looked at: a few, from its first to its last."""
    places = np.linspace(0, len(frames) - 1, min(len(frames), CHECKS)).round().astype(int)
    return frozenset(frames[places].tolist())


def quarter_turns(detector: Detector, image_bgr: NDArray[np.uint8]) -> int | None:
    """By how many quarters clockwise a picture has to be turned so that its surest face stands upright.

    Args:
        detector: finds faces.
        image_bgr: uint8 (h, w, 3).

    Returns:
        0 to 3; None where there is no face, whichever way it is turned.
    """
    shrink = max(*image_bgr.shape[:2]) / WHOLE_PX
    if shrink > 1:
        size = max(round(image_bgr.shape[1] / shrink), 1), max(round(image_bgr.shape[0] / shrink), 1)
        image_bgr = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    upright = _surest(detector, image_bgr)
    turned = [_surest(detector, np.asarray(cv2.rotate(image_bgr, turn), np.uint8)) for turn in _TURNS]
    if max(turned) >= max(_SURE, upright + _MARGIN):
        return 1 + turned.index(max(turned))
    return 0 if upright else None


def _surest(detector: Detector, image_bgr: NDArray[np.uint8]) -> float:
    """The score of the surest face, 0 without one."""
    return float(detector.detect(image_bgr).confidences.max(initial=0.0))
