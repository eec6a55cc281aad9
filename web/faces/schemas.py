"""Bodies about faces and moments."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from web.http.schemas import Body, Box, Probability, SelfLink, Timestamp, rounded
from web.http.validation import JsonBody, whole_as_written

LARGEST_ID = 2**31 - 1  # that the database can hold

_LONGEST_NAME = 100
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # control characters, half characters, line and paragraph breaks


def _one_line(name: str | None) -> str | None:
    stripped = (name or "").strip()
    if len(stripped) > _LONGEST_NAME or any(unicodedata.category(c) in _UNPRINTABLE for c in stripped):
        raise ValueError("not one short line")
    return stripped or None


class FaceChange(JsonBody):
    """What may be changed of a face; what isn't named stays."""

    name: Annotated[str | None, AfterValidator(_one_line)] = Field(
        None,
        title=f"text of at most {_LONGEST_NAME} characters in one line, or null for no name",
        json_schema_extra={"maxLength": _LONGEST_NAME},
    )
    hidden: bool = False
    merged_into: Annotated[int, Field(ge=1, le=LARGEST_ID), whole_as_written] | None = Field(
        None, title="the number of another face, or null to split this one off"
    )


class FaceBody(Body):
    """A face of a video as it is shown, with those that were merged into it."""

    face_id: int
    name: str | None
    hidden: bool
    merged: list[int]
    frames: int
    frames_classified: int
    first_timestamp_s: Timestamp
    last_timestamp_s: Timestamp
    on_screen_s: Annotated[float, rounded(3)]
    best_frame: int
    best_timestamp_s: Timestamp
    best_box: Box
    emotion_frames: dict[str, int] = Field(description="classified frames by their most probable emotion")
    emotion_shares: dict[str, Probability]
    emotion_means: dict[str, Probability]
    picture: str | None
    links: SelfLink


class FacesPage(Body):
    """The faces of a video."""

    video_id: str
    emotions: list[str]
    faces: list[FaceBody]


class Moment(Body):
    """A frame in which an emotion is strong."""

    emotion: str
    face_id: int
    frame: int
    timestamp_s: Timestamp
    probability: Probability
    box: Box
    picture: str | None


class MomentsPage(Body):
    """The strongest moments of each emotion."""

    video_id: str
    moments: list[Moment]
