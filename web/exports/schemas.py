"""Bodies about the files that can be had of a video."""

from typing import Any

from pydantic import ConfigDict, Field

from emotion_timeline.labels import Labels
from web.http.schemas import Body, Network


class Weights(Body):
    """A network's file."""

    name: str
    sha256: str


class Persons(Body):
    """Whether tracks were grouped into persons by what they look like, and how."""

    grouped: bool
    embedder: Weights | None
    least_similarity: float | None


class SidecarBody(Body):
    """How a timeline was made; more fields may come."""

    model_config = ConfigDict(extra="allow")

    video_id: str
    source_file: str
    sha256: str
    size_bytes: int
    video: dict[str, Any]
    settings: dict[str, Any]
    model: Network
    labels: Labels
    labels_meaning: str
    detector: Weights
    persons: Persons
    software: Network
    emotions: list[str]
    frames_analyzed: int
    sample_interval_s: float
    frames_by_status: dict[str, int]
    emotion_shares: dict[str, float]
    faces: int | None
    face_tracks: list[dict[str, Any]]
    shots: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    analyzed_at: str | None
    columns: dict[str, str]
    exports: dict[str, dict[str, str]]
    warnings: list[str]
    note: str


class ExportColumn(Body):
    """A column of a file, or an entry of the sidecar."""

    name: str
    meaning: str
    unit: str | None


class Export(Body):
    """A kind of file that can be had of a video."""

    name: str
    title: str
    about: str
    href: str = Field(description="its address, with {id} for the video's id")
    media_type: str
    omits_hidden_faces: bool = Field(description="whether it has hidden faces only where hidden=1 asks for them")
    columns: list[ExportColumn]


class ExportsPage(Body):
    """Every kind of file."""

    exports: list[Export]
