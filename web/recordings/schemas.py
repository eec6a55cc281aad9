"""Bodies about videos: recordings, each analysed in one way."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from emotion_timeline.db.tables import VideoStatus
from emotion_timeline.labels import Labels
from emotion_timeline.turning import Rotation
from web.http.schemas import Body, ClipRange, Failure, Network, SelfLink, rounded
from web.http.validation import JsonBody
from web.renders.schemas import RenderState
from web.uploads.options import LABELS, ROTATE

_Rough = Annotated[float, rounded(1)]


class Links(SelfLink):
    """Addresses on this service."""

    page: str
    timeline_csv: str
    timeline_excel_csv: str
    timeline_long_csv: str
    per_second_csv: str
    per_face_csv: str
    timeline_parquet: str
    notes_csv: str
    timeline_json: str
    notes: str
    chart: str
    cancel: str
    retry: str
    reanalyze: str
    recording: str
    boxes: str


class VideoLinks(Links):
    """The same, and what was made of the recording."""

    thumbnail: str | None
    preview: str | None = Field(description="a copy that every browser plays, where the recording needs one")
    overlay: str | None = Field(description="state of the video with the faces drawn over it")


class Analysis(Body):
    """What tells one analysis of a recording from another."""

    id: str
    status: VideoStatus
    model: Network
    labels: Labels = Field(description="; ".join(f"{labels}: {labels.meaning}" for labels in Labels))
    sample_hz: float | None = Field(description="frames per second that are analysed; null for all")
    clip: ClipRange | None = Field(description="null for the whole recording")
    rotate: int = Field(description="degrees clockwise by which the pictures were turned by request")
    created_at: datetime
    links: Links


class VideoProgress(Body):
    """How far an analysis is."""

    frames_done: int
    frames_total: int | None
    fps: _Rough | None = Field(description="frames per second at present")
    eta_s: _Rough | None = Field(description="seconds left")
    queue_position: int | None = Field(description="1-based place among those that wait")


class Recording(Body):
    """What is known of a recording's file; more fields may come."""

    model_config = ConfigDict(extra="allow")

    size_bytes: int
    sha256: str
    duration_s: float = Field(description="until a long recording is planned, what its file's header says")
    frame_count: int | None = Field(description="null until a long recording is planned")
    width: int
    height: int


class VideoBody(Analysis):
    """One recording analysed in one way."""

    filename: str
    links: VideoLinks
    progress: VideoProgress
    error: Failure | None
    video: Recording
    started_at: datetime | None
    finished_at: datetime | None
    frames_by_status: dict[str, int] | None
    faces: int | None = Field(description="persons found, or faces followed where persons aren't grouped")
    persons_grouped: bool | None = Field(
        description="whether tracks of faces that look alike are one person, within this recording; null until done"
    )
    faces_shown: int | None = Field(description="faces left after merging and hiding")
    emotion_frames: dict[str, int] | None = Field(
        description="classified frames of these by their most probable emotion; a merged face counts once in a frame"
    )
    strip: str | None = Field(
        description="up to 120 equal stretches: place of the main emotion, - without a face, x not decodable"
    )
    renders: dict[str, RenderState] = Field(description="by kind: pictures, preview, overlay")
    warnings: list[str] = Field(description="what makes the timeline doubtful, in sentences")
    suggested_rotate: int | None = Field(
        description="the `rotate` by which most faces would stand upright, where they don't"
    )
    analyses: list[Analysis] = Field(description="other analyses of the same recording, newest first")


class CreatedVideoBody(VideoBody):
    """A video that was asked for, or the earlier one that is the same work."""

    duplicate: bool
    message: str = Field("", description="only of a duplicate")


class Reanalysis(JsonBody):
    """How to analyse a recording again."""

    codes: ClassVar = {"*": "bad_body", "labels": "bad_body"}
    other_types: ClassVar[bool] = True

    labels: Labels | None = Field(None, strict=False, description=LABELS)
    rotate: Rotation | None = Field(None, description=f"{ROTATE}; without it as before")


class VideosPage(Body):
    """Some of the videos."""

    videos: list[VideoBody]
    total: int
    limit: int
    offset: int
