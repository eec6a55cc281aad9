"""Whether most faces of a recording stand turned, and what to tell people then.

A few frames of each segment are looked at (emotion_timeline.faces.upright); each votes for the turn after which its
faces stand upright.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

Rotation = Literal[0, 90, 180, 270]
"""Degrees clockwise."""
TURNS: tuple[Rotation, ...] = get_args(Rotation)

_LEAST_VOTES = 2
_WORDS = {90: "90 degrees clockwise", 180: "180 degrees", 270: "90 degrees counterclockwise"}


def turn_of(votes: Iterable[Sequence[int] | None]) -> int:
    """Degrees clockwise by which a recording has to be turned so that most of its faces stand upright.

    Args:
        votes: of each segment, how many frames vote for each of TURNS; None where nothing is known.
    """
    totals = [sum(counts) for counts in zip((0,) * len(TURNS), *filter(None, votes), strict=True)]
    most = max(totals)
    is_clear = most >= _LEAST_VOTES and 2 * most > sum(totals)
    return TURNS[totals.index(most)] if is_clear else 0


def suggested_rotate(turn: int, rotate: int) -> int | None:
    """By how much to turn a recording that was turned by `rotate` degrees, and by turn_of() has to be turned further;
    None where its faces stand upright."""
    return (rotate + turn) % 360 if turn else None


def warning(turn: int, rotate: int) -> str | None:
    """What to tell people of a recording whose faces stand turned; None where they don't. See suggested_rotate()."""
    if not turn:
        return None
    return (
        f"Most faces seem to stand turned, so their expressions can't be relied on: the picture should be turned by "
        f"{_WORDS[turn]}. Analyse the recording again with rotate {suggested_rotate(turn, rotate)}."
    )
