"""The stretch of a recording that is analysed. It holds no frames, so that web and the database may use it too."""

import math
from dataclasses import dataclass
from fractions import Fraction

from emotion_timeline.errors import VideoError

_ROUNDING_S = Fraction(1, 2_000_000)  # times are shown with 6 decimals, and a person may copy one from there


@dataclass(frozen=True)
class Clip:
    """A stretch of a recording, in seconds from its first frame.

    Attributes:
        start_s: of the first frame that belongs to it; None for the recording's start.
        end_s: of the first frame after it; None for the recording's end.

    Raises:
        VideoError: no time can lie in it.
    """

    start_s: float | None = None
    end_s: float | None = None

    def __post_init__(self) -> None:
        start_s, end_s = self.start_s or 0.0, self.end_s
        if not (0 <= start_s < math.inf and (end_s is None or start_s < end_s < math.inf)):
            found = f"from {start_s:g} s to " + ("the end" if end_s is None else f"{end_s:g} s")
            raise VideoError(
                "bad_clip",
                "The clip range was expected to start at 0 s or later and to end after its start, in seconds from the "
                f"first frame, but is {found}. Correct it, or leave it out for the whole recording.",
            )

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole recording."""
        return not self.start_s and self.end_s is None

    def described(self) -> dict[str, float | None] | None:
        """As it is shown in JSON; None for the whole recording."""
        return None if self.is_whole else {"start_s": self.start_s, "end_s": self.end_s}

    def within(self, duration_s: float) -> tuple[float, float]:
        """Where it starts and ends in a recording of this length."""
        return self.start_s or 0.0, duration_s if self.end_s is None else min(self.end_s, duration_s)

    def require_before_end(self, duration_s: float) -> None:
        """Refuse a clip that starts after a recording's end.

        Raises:
            VideoError: it does.
        """
        if (self.start_s or 0.0) >= duration_s > 0:
            raise self.has_no_frame(f"the recording is {duration_s:g} s long")

    def has_no_frame(self, why: str) -> VideoError:
        """The error for a recording with nothing to analyse in this clip."""
        end = "the end" if self.end_s is None else f"{self.end_s:g} s"
        return VideoError(
            "empty_clip",
            f"No frame is to be analysed between {self.start_s or 0:g} s and {end}: {why}. "
            "Choose another range, or leave it out for the whole recording.",
        )

    def first_unit(self, unit_s: Fraction) -> int:
        """The earliest time that belongs to it, in units of so many seconds from the first frame."""
        return _units(self.start_s or 0.0, unit_s)

    def end_unit(self, unit_s: Fraction) -> int | None:
        """The earliest time after it, likewise; None where it has no end."""
        return None if self.end_s is None else _units(self.end_s, unit_s)


def _units(time_s: float, unit_s: Fraction) -> int:
    """The first whole unit at or after a time. 0.2 s means 1/5 s here, not the binary number next to it."""
    return math.ceil((Fraction(repr(time_s)) - _ROUNDING_S) / unit_s)
