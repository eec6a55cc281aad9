"""The HTTP API for videos, under /api/v1, and what pages share with it."""

import logging
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from sqlalchemy.orm import Session

from emotion_timeline import derived, queue
from emotion_timeline.clip import Clip
from emotion_timeline.db import renders, videos
from emotion_timeline.db.tables import Render, Video
from emotion_timeline.db.videos import Progress
from emotion_timeline.labels import Labels, labels_of
from emotion_timeline.views import listing
from emotion_timeline.views.listing import Search
from web.exports.api import done
from web.exports.api import links as export_links
from web.http import bodies
from web.http.answers import gone
from web.http.idempotency import REPLAYED
from web.http.openapi import IDEMPOTENCY_KEY, Answer, describes
from web.http.parameters import PAGING, paging
from web.http.schemas import LABELS, CreatedVideoBody, Reanalysis, VideoBody, VideosPage
from web.http.service import Service, service
from web.http.times import instant
from web.recordings import searches
from web.renders import api as renders_api
from web.timeline import charts
from web.uploads.intake import Outcome, accept, reanalyze
from web.uploads.options import MAX_SAMPLE_HZ

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_MADE = {
    202: Answer("A new video, which is queued", CreatedVideoBody, headers={"Location": "its address"}),
    200: Answer("The earlier video that is the same work", CreatedVideoBody, headers={"Location": "its address"}),
}
_FORM = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                "sample_hz": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "maximum": MAX_SAMPLE_HZ,
                    "description": "frames per second to analyse; without it all",
                },
                "clip_start_s": {
                    "type": "number",
                    "minimum": 0,
                    "description": "analyse from this time on; without it from the start",
                },
                "clip_end_s": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": "analyse up to this time; without it to the end",
                },
                "labels": {"enum": [*Labels], "description": LABELS},
            },
            "required": ["file"],
        }
    }
}
_log = logging.getLogger(__name__)


@blueprint.post("/videos")
@describes("videos", _MADE, (400, 404, 413, 415, 422, 507), (IDEMPOTENCY_KEY,), content=_FORM)
def create() -> Response:
    """Upload a recording: 202 when it is new; 200 with the first one when the same was uploaded before."""
    return _answered(accept(service()))


@blueprint.post("/videos/<video_id>/reanalyze")
@describes("videos", _MADE, (400, 410, 415, 422, 507), body=Reanalysis, body_required=False)
def analyze_again(video_id: str) -> Response:
    """Analyse the same recording by the network that is served now: 202 with a new video; 200 if there is that one."""
    asked = bodies.read(Reanalysis) if request.content_length else Reanalysis()
    return _answered(reanalyze(service(), video_id, asked.labels))


def _answered(outcome: Outcome) -> Response:
    body = find(service(), outcome.video.id) | {"duplicate": not outcome.is_new}
    if not outcome.is_new:
        body["message"] = duplicate_sentence(body["status"])
    response = jsonify(body)
    response.status_code = 202 if outcome.is_new else 200
    response.headers["Location"] = body["links"]["self"]
    if outcome.is_replay:
        response.headers[REPLAYED] = "true"
    return response


@blueprint.get("/videos")
@describes("videos", {200: Answer("Some of them", VideosPage)}, (400,), (*searches.PARAMETERS, *PAGING))
def index() -> dict[str, Any]:
    """A page of the videos that are searched for."""
    search = searches.strict(request.args)
    limit, offset = paging()
    found, total = find_page(service(), search, limit, offset)
    return {"videos": found, "total": total, "limit": limit, "offset": offset}


@blueprint.get("/videos/<video_id>")
@describes("videos", {200: Answer("The video", VideoBody)})
def show(video_id: str) -> dict[str, Any]:
    """One video."""
    return find(service(), video_id)


@blueprint.delete("/videos/<video_id>")
@describes("videos", {204: Answer("The video was deleted")})
def delete(video_id: str) -> Response:
    """Delete a video, its timeline and its recording."""
    remove(service(), video_id)
    return gone()


@blueprint.post("/videos/<video_id>/cancel")
@describes("videos", {200: Answer("The video was cancelled", VideoBody)}, (409,))
def cancel(video_id: str) -> dict[str, Any]:
    """Stop a queued or running video."""
    stop(service(), video_id)
    return find(service(), video_id)


@blueprint.post("/videos/<video_id>/retry")
@describes("videos", {202: Answer("The video is queued again", VideoBody)}, (409,))
def retry(video_id: str) -> tuple[dict[str, Any], int]:
    """Queue a failed or cancelled video again."""
    queue_again(service(), video_id)
    return find(service(), video_id), 202


@blueprint.get("/videos/<video_id>/chart.json")
@describes(
    "timelines",
    {200: Answer("Emotions over time, and how the frames were", media_type="application/json")},
    (400, 409),
    charts.STRETCH,
)
def chart_json(video_id: str) -> dict[str, Any]:
    """The timeline, or a stretch of it, reduced to what a screen can show."""
    with service().database.read() as session:
        video = done(videos.get(session, video_id))
    asked = charts.asked(video.info["duration_s"])
    with service().database.read() as session:
        return charts.chart(session, videos.get(session, video_id), asked)


def find(service: Service, video_id: str) -> dict[str, Any]:
    """One video as the API shows it.

    Raises:
        NotFound: no such video.
    """
    with service.database.read() as session:
        (described,) = _all_described(session, [videos.get(session, video_id)])
        return described


def find_page(service: Service, search: Search, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Videos as the API shows them, and how many the search finds in all."""
    with service.database.read() as session:
        found, total = listing.page(session, search, limit, offset)
        return _all_described(session, found), total


def remove(service: Service, video_id: str) -> None:
    """Delete the rows first, then the files: a file without a row harms nobody."""
    with service.database.write() as session:
        videos.remove(session, video_id)
    try:
        service.settings.recording(video_id).unlink(missing_ok=True)
        derived.remove(service.settings.derived_dir, video_id)
    except OSError:
        _log.exception("The files of the deleted video %s could not be removed.", video_id)


def stop(service: Service, video_id: str) -> None:
    """Cancel."""
    with service.database.write() as session:
        videos.cancel(session, video_id)


def queue_again(service: Service, video_id: str) -> None:
    """Retry: commit first, send after."""
    with service.database.write() as session:
        videos.retry(session, video_id)
    queue.call_a_worker()


def duplicate_sentence(status: str) -> str:
    """What to tell whoever asks for the same again."""
    return f"This recording was uploaded before, and this is its analysis with these settings; it is {status}."


def _all_described(session: Session, found: Sequence[Video]) -> list[dict[str, Any]]:
    """As the API shows them, with as many questions to the database for many as for one."""
    progress, others = videos.progress(session, found), videos.other_analyses(session, found)
    made = renders.of_videos(session, [video.id for video in found])
    return [
        _described(video, progress[video.id], made[video.id])
        | {"analyses": [_named(other) for other in others[video.id]]}
        for video in found
    ]


def _described(video: Video, progress: Progress, made: Sequence[Render]) -> dict[str, Any]:
    summary = video.summary or {}
    error = {"code": video.error_code, "message": video.error_message}
    named = _named(video)
    return (
        {"id": video.id, "filename": video.filename}
        | named
        | {"links": named["links"] | renders_api.links(service(), video, made)}
        | {
            "progress": {
                "frames_done": progress.frames_done,
                "frames_total": progress.frames_total,
                "fps": _rounded(progress.fps),
                "eta_s": _rounded(progress.eta_s),
                "queue_position": progress.queue_position,
            },
            "error": error if video.error_code else None,
            "video": video.info | {"size_bytes": video.size_bytes, "sha256": video.sha256},
            "started_at": instant(video.started_at),
            "finished_at": instant(video.finished_at),
            "frames_by_status": summary.get("frames_by_status"),
            "faces": summary.get("faces"),
            "faces_shown": summary.get("faces_shown"),
            "emotion_frames": summary.get("emotion_frames"),
            "renders": renders_api.described(made),
            "strip": summary.get("strip"),
        }
    )


def _named(video: Video) -> dict[str, Any]:
    """What tells one analysis of a recording from another."""
    return {
        "id": video.id,
        "status": video.status.value,
        "model": {"name": video.model, "version": video.model_version},
        "labels": labels_of(video.model_version),
        "sample_hz": video.sample_hz,
        "clip": Clip(video.clip_start_s, video.clip_end_s).described(),
        "created_at": instant(video.created_at),
        "links": _links(video.id),
    }


def _links(video_id: str) -> dict[str, str]:
    names = {
        "self": "show",
        "chart": "chart_json",
        "cancel": "cancel",
        "retry": "retry",
        "reanalyze": "analyze_again",
    }
    links = {link: url_for(f"api.{endpoint}", video_id=video_id) for link, endpoint in names.items()}
    links |= export_links(video_id) | {"notes": url_for("notes.index", video_id=video_id)}
    links["recording"] = url_for("playback.recording", video_id=video_id)
    links["boxes"] = url_for("playback.boxes_json", video_id=video_id)
    return links | {"page": url_for("pages.video", video_id=video_id)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
