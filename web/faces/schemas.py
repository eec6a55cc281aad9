"""What the HTTP API takes and answers about faces, moments and notes; see schemas.py."""

from datetime import datetime

from pydantic import Field

from web.http.schemas import Strict


class NewNote(Strict):
    """A note; times lie in the recording."""

    start_s: float = Field(ge=0)
    end_s: float | None = Field(None, ge=0, description="end of a range; null for a moment")
    text: str = Field(min_length=1, max_length=1000)


class NoteChange(Strict):
    """What is to be changed of a note; what isn't named stays."""

    start_s: float = Field(0, ge=0)
    end_s: float | None = Field(None, ge=0)
    text: str = Field("", min_length=1, max_length=1000)


class NoteBody(Strict):
    """A person's own words at a moment of a recording, or over a range of it."""

    id: str
    start_s: float
    end_s: float | None
    text: str
    created_at: datetime
    updated_at: datetime
    links: dict[str, str]


class NotesPage(Strict):
    """The notes on a recording, in order of time."""

    notes: list[NoteBody]


class FaceChange(Strict):
    """What may be changed of a face; what isn't named stays."""

    name: str | None = Field(None, max_length=100)
    hidden: bool = False
    merged_into: int | None = Field(None, ge=1, description="another face, or null to split this one off")


class FaceBody(Strict):
    """A face of a video as it is shown, with those that were merged into it."""

    face_id: int
    name: str | None
    hidden: bool
    merged: list[int]
    frames: int
    frames_classified: int
    first_timestamp_s: float
    last_timestamp_s: float
    on_screen_s: float
    best_frame: int
    best_timestamp_s: float
    best_box: list[float] = Field(description="x, y, width, height in pixels as displayed")
    emotion_frames: dict[str, int] = Field(description="classified frames by their most probable emotion")
    emotion_shares: dict[str, float]
    emotion_means: dict[str, float]
    picture: str | None
    links: dict[str, str]


class FacesPage(Strict):
    """The faces of a video."""

    video_id: str
    emotions: list[str]
    faces: list[FaceBody]


class Moment(Strict):
    """A frame in which an emotion is strong."""

    emotion: str
    face_id: int
    frame: int
    timestamp_s: float
    probability: float
    box: list[float]
    picture: str | None


class MomentsPage(Strict):
    """The strongest moments of each emotion."""

    video_id: str
    moments: list[Moment]
