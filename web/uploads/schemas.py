"""Bodies about recordings that come in pieces."""

from typing import Literal

from web.http.schemas import Body, Failure, SelfLink


class UploadedVideoLinks(SelfLink):
    """Addresses of the video that an upload became."""

    page: str


class UploadedVideo(Body):
    """The video that an upload became."""

    id: str
    links: UploadedVideoLinks
    duplicate: bool


class UploadBody(Body):
    """A recording that comes in pieces."""

    id: str
    filename: str
    size_bytes: int
    offset: int
    status: Literal["receiving", "examining", "accepted", "refused"]
    video: UploadedVideo | None
    error: Failure | None
