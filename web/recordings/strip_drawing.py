"""A strip (emotion_timeline.views.strips) as a drawing."""

from itertools import groupby

from flask import Blueprint

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.views.strips import NO_FACE, UNREADABLE

blueprint = Blueprint("strips", __name__)

KINDS = {**{str(index): emotion for index, emotion in enumerate(EMOTIONS)}, NO_FACE: "absent", UNREADABLE: "unreadable"}
"""What each character stands for; also the class that colours it."""

_WORDS = {"absent": "no face", "unreadable": "not readable"}
_HEIGHT = 10
_TOPS = {"neutral": 5, "absent": 8, "unreadable": 8}  # lower than what there is to see; emotions take the whole height


@blueprint.app_template_filter()
def strip_paths(strip: str) -> list[tuple[str, str]]:
    """For each kind in a strip its name and the SVG path of its stretches, each 1 wide and up to 10 high."""
    paths: dict[str, str] = {}
    start = 0
    for character, run in groupby(strip):
        kind, width = KINDS[character], len(list(run))
        top = _TOPS.get(kind, 0)
        paths[kind] = paths.get(kind, "") + f"M{start} {top}h{width}v{_HEIGHT - top}h-{width}z"
        start += width
    return list(paths.items())


@blueprint.app_template_filter()
def kind_words(kind: str) -> str:
    """A kind as people call it."""
    return _WORDS.get(kind, kind)


@blueprint.app_template_filter()
def sample_path(kind: str) -> str:
    """The path of a kind in a picture of 10 by 10, for a legend."""
    top = _TOPS.get(kind, 0)
    return f"M0 {top}h10v{_HEIGHT - top}h-10z"
