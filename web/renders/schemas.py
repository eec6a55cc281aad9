"""Bodies about pictures and videos that are made of recordings."""

from typing import Literal

from pydantic import Field

from emotion_timeline.db.tables import RenderStatus
from web.http.schemas import Body, Failure
from web.http.validation import Flag, Texts


class Renewal(Texts):
    """What may be said when a render is ordered."""

    renew: Flag = Field(False, description="1: make it anew, after names were changed.")


class RenderState(Body):
    """How far a file is that is made of a recording."""

    status: RenderStatus
    frames_done: int
    frames_total: int | None
    error: Failure | None


class RenderBody(Body):
    """How far the pictures, the preview or the video with the faces are."""

    status: RenderStatus | Literal["none"]
    progress: float | None = Field(description="0 to 1")
    error: Failure | None
    url: str | None = Field(description="of the file, or of the first of them, when it is done")
