"""Pictures and videos that the worker makes of recordings: how far they are, and the files.

Files are given out from their folder as they are; the database is asked for the reason where one isn't there.
"""

from collections.abc import Sequence
from pathlib import Path, PurePath

from flask import Blueprint, Response, request, send_from_directory, url_for
from werkzeug.exceptions import NotFound

from emotion_timeline.db import renders, videos
from emotion_timeline.db.tables import Render, RenderKind, RenderStatus, Video, VideoStatus
from emotion_timeline.service import queue
from web.http.operations import operation
from web.http.problems import Problem
from web.http.schemas import Failure
from web.http.service import Service, service
from web.renders.schemas import RenderBody, RenderState, Renewal

blueprint = Blueprint("media", __name__, url_prefix="/api/v1")

_THUMBNAIL = "thumbnail.jpg"
_PREVIEW = "preview.mp4"
_OVERLAY = "overlay.mp4"
# By kind, the file that is there when it was made, and the view that gives it out.
_FILES = {
    RenderKind.PICTURES: (_THUMBNAIL, "media.thumbnail"),
    RenderKind.PREVIEW: (_PREVIEW, "media.preview_file"),
    RenderKind.OVERLAY: (_OVERLAY, "media.overlay_file"),
}
_ORDERED = {202: "The file will be made", 200: "The file is ready or being made"}
_YEAR_S = 365 * 24 * 3600
_DAY_S = 24 * 3600


@blueprint.get("/videos/<video_id>/thumbnail.jpg")
@operation("pictures", media_type="image/jpeg", is_file=True)
def thumbnail(video_id: str) -> Response:
    """The picture that stands for a video."""
    return _picture(video_id, _THUMBNAIL)


@blueprint.get("/videos/<video_id>/faces/<int:face_id>.jpg")
@operation("pictures", media_type="image/jpeg", is_file=True)
def face(video_id: str, face_id: int) -> Response:
    """A face where it is seen best."""
    return _picture(video_id, f"faces/{face_id}.jpg")


@blueprint.get("/videos/<video_id>/pictures/<int:frame>.jpg")
@operation("pictures", media_type="image/jpeg", is_file=True)
def picture(video_id: str, frame: int) -> Response:
    """The moment of a frame, for those frames that have a picture."""
    return _picture(video_id, f"pictures/{frame}.jpg")


@blueprint.get("/videos/<video_id>/pictures")
@operation("pictures")
def pictures(video_id: str) -> RenderBody:
    """How far the pictures of a video are."""
    return _how_far(video_id, RenderKind.PICTURES)


@blueprint.post("/videos/<video_id>/pictures")
@operation("pictures", _ORDERED, (409,))
def make_pictures(video_id: str) -> tuple[RenderBody, int]:
    """Have the pictures made that failed or were removed: 202; or 200 where they are ready or being made."""
    return _ordered(video_id, RenderKind.PICTURES)


@blueprint.get("/videos/<video_id>/preview")
@operation("pictures")
def preview(video_id: str) -> RenderBody:
    """How far the preview is; its status is `none` where the recording needed none so far."""
    return _how_far(video_id, RenderKind.PREVIEW)


@blueprint.post("/videos/<video_id>/preview")
@operation("pictures", _ORDERED, (409,))
def make_preview(video_id: str) -> tuple[RenderBody, int]:
    """Have a light copy made that every browser plays: 202; or 200 where it is ready or being made.

    Recordings that browsers are known not to play get one by themselves. Some fail only while they are played.
    """
    return _ordered(video_id, RenderKind.PREVIEW)


@blueprint.get("/videos/<video_id>/preview.mp4")
@operation("pictures", media_type="video/mp4", is_file=True)
def preview_file(video_id: str) -> Response:
    """A light copy that every browser plays, at the timeline's times."""
    return _file(video_id, _PREVIEW)


@blueprint.get("/videos/<video_id>/overlay")
@operation("pictures")
def overlay(video_id: str) -> RenderBody:
    """How far the video with the faces is; its status is `none` until it was asked for."""
    return _how_far(video_id, RenderKind.OVERLAY)


@blueprint.post("/videos/<video_id>/overlay")
@operation("pictures", _ORDERED, (409,))
def make_overlay(video_id: str, query: Renewal) -> tuple[RenderBody, int]:
    """Have the video with the faces made: 202; or 200 where it is ready or being made, unless `renew` is 1."""
    return _ordered(video_id, RenderKind.OVERLAY, anew=query.renew)


@blueprint.get("/videos/<video_id>/overlay.mp4")
@operation("pictures", media_type="video/mp4", is_file=True)
def overlay_file(video_id: str) -> Response:
    """The video with the faces, as a file named after the recording."""
    with service().database.read() as session:
        video = videos.get(session, video_id)
        made = renders.of_videos(session, [video.id])[video.id]
    if not any(render.kind is RenderKind.OVERLAY and render.status is RenderStatus.DONE for render in made):
        raise _not_there(_OVERLAY)
    return _file(video_id, _OVERLAY, download_name=f"{PurePath(video.filename).stem} with faces.mp4")


def described(made: Sequence[Render]) -> dict[str, RenderState]:
    """How far the files are that are made for a video, by their kind."""
    return {render.kind.value: RenderState.of(render, error=_error(render)) for render in made}


def links(service: Service, video: Video, made: Sequence[Render]) -> dict[str, str | None]:
    """Addresses of what there is, and of the overlay's state, where one can be made; null for what there isn't. A
    thumbnail's address changes with the picture."""
    made_kinds = {render.kind for render in made if render.status is RenderStatus.DONE}
    drawn_at = _changed(service.settings.derived(video.id) / _THUMBNAIL)
    is_done = video.status is VideoStatus.DONE
    return {
        "thumbnail": url_for("media.thumbnail", video_id=video.id, v=drawn_at) if drawn_at else None,
        "preview": url_for("media.preview_file", video_id=video.id) if RenderKind.PREVIEW in made_kinds else None,
        "overlay": url_for("media.overlay", video_id=video.id) if is_done else None,
    }


def _changed(path: Path) -> str | None:
    try:
        return f"{path.stat().st_mtime_ns // 1_000_000:x}"
    except FileNotFoundError:
        return None


def _how_far(video_id: str, kind: RenderKind) -> RenderBody:
    with service().database.read() as session:
        video = videos.get(session, video_id)
        made = renders.of_videos(session, [video.id])[video.id]
    return _state(video.id, kind, next((render for render in made if render.kind is kind), None))


def _ordered(video_id: str, kind: RenderKind, *, anew: bool = False) -> tuple[RenderBody, int]:
    name, _ = _FILES[kind]
    with service().database.write() as session:
        is_there = (service().settings.derived(videos.get(session, video_id).id) / name).is_file()
        render, is_ordered = renders.order_unless_there(session, video_id, kind, is_there=is_there, anew=anew)
        state = _state(video_id, kind, render)
    queue.call_a_worker()
    return state, 202 if is_ordered else 200


def _state(video_id: str, kind: RenderKind, render: Render | None) -> RenderBody:
    is_done = render is not None and render.status is RenderStatus.DONE
    part = render.frames_done / render.frames_total if render and render.frames_total else None
    _, endpoint = _FILES[kind]
    return RenderBody(
        status=render.status if render else "none",
        progress=part,
        error=_error(render) if render else None,
        url=url_for(endpoint, video_id=video_id) if is_done else None,
    )


def _error(render: Render) -> Failure | None:
    return Failure(code="not_made", message=render.error_message) if render.error_message else None


def _picture(video_id: str, name: str) -> Response:
    """Pictures never change under an address with a version; others are asked for again after a day."""
    response = _file(video_id, name)
    kept = f"max-age={_YEAR_S}, immutable" if "v" in request.args else f"max-age={_DAY_S}"
    if name != _THUMBNAIL or "v" in request.args:
        response.headers["Cache-Control"] = f"private, {kept}"
    return response


def _file(video_id: str, name: str, download_name: str | None = None) -> Response:
    attached = download_name is not None
    try:
        return send_from_directory(
            service().settings.derived_dir, f"{video_id}/{name}", as_attachment=attached, download_name=download_name
        )
    except NotFound:
        with service().database.read() as session:
            videos.get(session, video_id)
        raise _not_there(name) from None


def _not_there(name: str) -> Problem:
    return Problem(404, "not_there", f"There is no {PurePath(name).name} of this video, or none yet.")
