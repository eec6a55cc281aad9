"""Bodies about the timeline as it is drawn: the chart's lines, and the faces over a picture."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from web.http.schemas import Body, Probability
from web.http.validation import Seconds, Texts, WholeNumber, number_as_written, whole_as_written

_LONGEST_S = 1e7
_Time = Annotated[float, Field(ge=0, le=_LONGEST_S), number_as_written]
_FaceId = Annotated[int, Field(ge=1, le=2**31 - 1), whole_as_written]
_Gapped = list[float | None]


class ChartQuery(Texts):
    """A stretch of the timeline, and how closely to look at it."""

    from_s: _Time = Field(0, description="Start of the stretch.")
    to_s: _Time | SkipJsonSchema[None] = Field(None, description="Its end; without it the recording's.")
    points: WholeNumber = Field(
        2000,  # a little more than a wide screen has columns
        ge=10,
        le=4000,
        description="Most points of a line; with no more frames than that every frame is one.",
    )
    face_id: _FaceId | Literal["main"] | SkipJsonSchema[None] = Field(
        None,
        description='Whose line to send: a face\'s number, or "main" for the one in most frames; without it all.',
    )


class ChartFace(Body):
    """A face in the stretch. Its line, where it was asked for, is lists of one length; null in all of them is a gap."""

    face_id: int
    name: str | None
    frames_seen: int
    first_timestamp_s: float
    last_timestamp_s: float
    timestamp_s: _Gapped = Field([])
    frames: list[int | None] = Field([], description="frames that the point stands for")
    probabilities: dict[str, _Gapped] = Field({}, description="means, by emotion")
    lowest: dict[str, _Gapped] = Field({}, description="unless a point is one frame")
    highest: dict[str, _Gapped] = Field({}, description="unless a point is one frame")


class ChartQuality(Body):
    """Sampled frames by status: at each time, of the frames from then until the next time."""

    timestamp_s: list[float]
    ok: list[int]
    no_face: list[int]
    too_small: list[int]
    decode_error: list[int]


class ChartClip(Body):
    """The stretch that was analysed."""

    start_s: float
    end_s: float


class ChartSummary(Body):
    """What a face, or all together, show in the stretch, over frames."""

    face_id: int | None = Field(description="whose line was asked for; null for all faces together")
    emotion_frames: dict[str, int] = Field(description="classified frames by their most probable emotion")
    emotion_shares: dict[str, Probability]
    sentence: str = Field(description="the same in words; empty where no frame is classified")


class ChartBody(Body):
    """Emotions over time, and how the frames were."""

    video_id: str
    emotions: list[str]
    duration_s: float
    clip: ChartClip | None = Field(description="null for the whole recording")
    from_s: float
    to_s: float
    bucket_s: float = Field(description="length of time that a point stands for; 0: it is one frame")
    faces: list[ChartFace]
    cuts_s: list[float] = Field(description="when shots of the recording begin, but for the first")
    quality: ChartQuality
    summary: ChartSummary


class Parts(Texts):
    """How much of the recording to send at once."""

    parts: str | SkipJsonSchema[None] = Field(None, description="Cut long ranges to 2 MiB.")


class BoxesQuery(Texts):
    """A stretch of the recording."""

    from_s: Seconds = Field(0, description="Start of the stretch.")
    to_s: Annotated[float, Field(gt=0), number_as_written] | SkipJsonSchema[None] = Field(
        None, description="Its end, at most 60 s later."
    )


class BoxedFrames(Body):
    """A line for every sampled frame, also those without a face."""

    frame: list[int]
    timestamp_s: list[float]
    status: list[int] = Field(description="its place in `statuses`")
    faces: list[int] = Field(description="how many lines of `faces` are its own")


class BoxedFaces(Body):
    """A line for every face, in the order of the frames."""

    face_id: list[int]
    x: list[float]
    y: list[float]
    w: list[float]
    h: list[float]
    status: list[int]
    emotion: list[int | None] = Field(description="its place in `emotions`; null where the face is too small")
    probability: _Gapped


class BoxesBody(Body):
    """The faces in a stretch of the recording, in columns."""

    video_id: str
    from_s: float
    to_s: float
    width: int
    height: int
    previous_s: float | None = Field(description="timestamp of the sampled frame before the stretch")
    next_s: float | None = Field(description="timestamp of the sampled frame after it")
    emotions: list[str]
    statuses: list[str]
    names: dict[str, str] = Field(description="by the face's number")
    frames: BoxedFrames
    faces: BoxedFaces
