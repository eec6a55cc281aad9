"""What the HTTP API answers about videos, as models for its description. Times are seconds from the first frame."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emotion_timeline.labels import Labels

LABELS = "whose labels to give: FER+'s raters', or FER2013's own; without it as the server is set"

Status = Literal["queued", "running", "done", "failed", "cancelled"]


class Strict(BaseModel):
    """Knows every field that is answered: an answer with another one doesn't fit."""

    model_config = ConfigDict(extra="forbid")


class Model(Strict):
    """The network of an analysis."""

    name: str
    version: str


class Links(Strict):
    """Addresses on this service."""

    self: str
    page: str
    timeline_csv: str
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


class ClipRange(Strict):
    """The stretch of a recording that is analysed; the end is exclusive."""

    start_s: float | None
    end_s: float | None


class Analysis(Strict):
    """What tells one analysis of a recording from another."""

    id: str
    status: Status
    model: Model
    labels: Labels = Field(description="; ".join(f"{labels}: {labels.meaning}" for labels in Labels))
    sample_hz: float | None = Field(description="frames per second that are analysed; null for all")
    clip: ClipRange | None = Field(description="null for the whole recording")
    created_at: datetime
    links: Links


class Progress(Strict):
    """How far an analysis is."""

    frames_done: int
    frames_total: int | None
    fps: float | None = Field(description="frames per second at present")
    eta_s: float | None = Field(description="seconds left")
    queue_position: int | None = Field(description="1-based place among those that wait")


class Failure(Strict):
    """Why an analysis failed."""

    code: str
    message: str


class Recording(BaseModel):
    """What is known of a recording's file; more fields may come."""

    size_bytes: int
    sha256: str
    duration_s: float
    frame_count: int
    width: int
    height: int


class RenderState(Strict):
    """How far a file is that is made of a recording."""

    status: Literal["queued", "running", "done", "failed"]
    frames_done: int
    frames_total: int | None
    error: Failure | None


class VideoBody(Analysis):
    """One recording analysed in one way."""

    filename: str
    links: VideoLinks
    progress: Progress
    error: Failure | None
    video: Recording
    started_at: datetime | None
    finished_at: datetime | None
    frames_by_status: dict[str, int] | None
    faces: int | None = Field(description="faces followed")
    faces_shown: int | None = Field(description="faces left after merging and hiding")
    emotion_frames: dict[str, int] | None = Field(
        description="classified frames of these by their most probable emotion; a merged face counts once in a frame"
    )
    strip: str | None = Field(
        description="up to 120 equal stretches: place of the main emotion, - without a face, x not decodable"
    )
    renders: dict[str, RenderState] = Field(description="by kind: pictures, preview, overlay")
    analyses: list[Analysis] = Field(description="other analyses of the same recording, newest first")


class CreatedVideoBody(VideoBody):
    """A video that was asked for, or the earlier one that is the same work."""

    duplicate: bool
    message: str = Field("", description="only of a duplicate")


class Reanalysis(Strict):
    """How to analyse a recording again."""

    labels: Labels | None = Field(None, description=LABELS)


class VideosPage(Strict):
    """Some of the videos."""

    videos: list[VideoBody]
    total: int
    limit: int
    offset: int


class SidecarBody(BaseModel):
    """How a timeline was made."""

    video_id: str
    source_file: str
    sha256: str
    settings: dict[str, Any]
    model: Model
    labels: Labels
    labels_meaning: str
    emotions: list[str]
    frames_analyzed: int
    sample_interval_s: float
    frames_by_status: dict[str, int]
    emotion_shares: dict[str, float]
    face_tracks: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    columns: dict[str, str]
    exports: dict[str, dict[str, str]]


class ExportColumn(Strict):
    """A column of a file, or an entry of the sidecar."""

    name: str
    meaning: str
    unit: str | None


class Export(Strict):
    """A kind of file that can be had of a video."""

    name: str
    title: str
    about: str
    href: str = Field(description="its address, with {id} for the video's id")
    media_type: str
    omits_hidden_faces: bool = Field(description="whether it has hidden faces only where hidden=1 asks for them")
    columns: list[ExportColumn]


class ExportsPage(Strict):
    """Every kind of file."""

    exports: list[Export]


class UploadedVideo(Strict):
    """The video that an upload became."""

    id: str
    links: dict[str, str]
    duplicate: bool


class UploadBody(Strict):
    """A recording that comes in pieces."""

    id: str
    filename: str
    size_bytes: int
    offset: int
    status: Literal["receiving", "examining", "accepted", "refused"]
    video: UploadedVideo | None
    error: Failure | None


class RenderBody(Strict):
    """How far the pictures, the preview or the video with the faces are."""

    status: Literal["none", "queued", "running", "done", "failed"]
    progress: float | None = Field(description="0 to 1")
    error: Failure | None
    url: str | None = Field(description="of the file, or of the first of them, when it is done")
