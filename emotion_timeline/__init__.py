"""Timelines of the facial emotions in recordings, as a library.

    >>> import emotion_timeline
    >>> rows = emotion_timeline.analyze("talk.mp4", sample_hz=5)
    >>> rows.groupby("face_id")[["happy", "sad", "neutral"]].mean()

web, worker, training and the command line stand on this package. Importing it loads nothing heavy: `analyze` and
`read` bring in what they need when they are first asked for.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion_timeline.dataframe import analyze, read

__all__ = ["__version__", "analyze", "read"]

__version__ = version("emotion-timeline")


def __getattr__(name: str) -> Any:
    if name in ("analyze", "read"):
        from emotion_timeline import dataframe

        return getattr(dataframe, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
