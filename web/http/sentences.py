"""What shares of emotions say in words: in the list, under the chart and on the cards of faces."""

from collections.abc import Mapping
from typing import Protocol

from flask import Blueprint

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.shares import shares_of
from web.http.formatting import clock, count

blueprint = Blueprint("sentences", __name__)

_LEAST_SHARE = 0.05  # that is mentioned in the list
_LEAST_VISIBLE = 0.005  # rounds to 1 %
_MOST_MENTIONED = 3
_LACKING = {"too_small": "face too small in", "no_face": "no face in", "decode_error": "not readable in"}


class _Counted(Protocol):
    """A video, as the API tells of it."""

    emotion_frames: dict[str, int] | None
    frames_by_status: dict[str, int] | None


@blueprint.app_template_filter()
def percent(share: float) -> str:
    """A share as people read it: 53 %, < 1 %."""
    return f"{100 * share:.0f}\u00a0%" if share >= _LEAST_VISIBLE or share == 0 else "<\u00a01\u00a0%"


@blueprint.app_template_filter()
def shares_sentence(video: _Counted) -> str:
    """What a video shows most, by share of the classified frames of its faces, and in how many frames there was nothing
    to classify: mostly neutral 67 %, happy 33 %; no face in 8 % of frames."""
    shares = shares_of(video.emotion_frames or dict.fromkeys(EMOTIONS, 0))
    ranked = sorted(shares.items(), key=lambda item: -item[1])[:_MOST_MENTIONED]
    emotions = [f"{emotion} {percent(share)}" for emotion, share in ranked if share >= _LEAST_SHARE]
    mostly = "mostly " if 0.5 < ranked[0][1] < 1 else ""
    frames = video.frames_by_status or {}
    total = sum(frames.values()) or 1
    lacking = {words: frames.get(status, 0) / total for status, words in _LACKING.items()}
    told = [f"{words} {percent(share)}" for words, share in lacking.items() if share >= _LEAST_SHARE]
    return "; ".join(filter(None, (mostly + ", ".join(emotions) if emotions else "", _of_frames(told))))


def _of_frames(told: list[str]) -> str:
    return f"{', '.join(told)} of frames" if told else ""


def chart_sentence(emotion_frames: Mapping[str, int], longest: Mapping[str, tuple[float, float]]) -> str:
    """What a face shows in a stretch of a chart; nothing where no frame is classified.

    Args:
        emotion_frames: its classified frames by their most probable emotion.
        longest: where it shows each emotion for longest, from when to when in seconds.
    """
    shares = shares_of(emotion_frames)
    ranked = sorted((e for e, share in shares.items() if share >= _LEAST_VISIBLE), key=lambda e: -shares[e])
    if not ranked:
        return ""
    first, *others = [f"{emotion} ({percent(shares[emotion])})" for emotion in ranked]
    rest = f", then {', '.join(others)}" if others else ""
    total = sum(emotion_frames.values())
    head = f"Most often {first}{rest}, of {count(total)} classified {'frame' if total == 1 else 'frames'}."
    spoken = {emotion: tuple(map(clock, longest[emotion])) for emotion in ranked[1:4] if emotion in longest}
    runs = [f"{emotion} from {begin} to {end}" for emotion, (begin, end) in spoken.items() if begin != end]
    return head + (f" The longest stretches of the others: {'; '.join(runs)}." if runs else "")
