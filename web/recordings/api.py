"""The HTTP API for videos, under /api/v1, and what pages share with it."""

import logging
from collections.abc import Sequence

from flask import Blueprint, url_for
from sqlalchemy.orm import Session

from emotion_timeline import derived
from emotion_timeline.clip import Clip
from emotion_timeline.db import renders, videos
from emotion_timeline.db.tables import Render, Video
from emotion_timeline.db.videos import Progress
from emotion_timeline.exports.tidy import warnings
from emotion_timeline.labels import labels_of
from emotion_timeline.service import queue
from emotion_timeline.turning import suggested_rotate
from emotion_timeline.views import listing
from emotion_timeline.views.listing import Search
from web.exports.api import done
from web.exports.api import links as export_links
from web.http.idempotency import KeyHeaders, replayed
from web.http.operations import operation
from web.http.schemas import ClipRange, Failure, Network
from web.http.service import Service, service
from web.recordings.schemas import (
    Analysis,
    CreatedVideoBody,
    Links,
    Reanalysis,
    VideoBody,
    VideoLinks,
    VideoProgress,
    VideosPage,
)
from web.recordings.searches import SearchQuery
from web.renders import api as renders_api
from web.timeline import charts
from web.timeline.schemas import ChartBody, ChartQuery
from web.uploads.intake import Outcome, UploadForm, accept, reanalyze

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

Created = tuple[CreatedVideoBody, int, dict[str, str]]

_MADE = {202: "A new video, which is queued", 200: "The earlier one that is the same work"}
_WHERE = {"Location": "its address"}
_log = logging.getLogger(__name__)


@blueprint.post("/videos")
@operation(
    "videos", _MADE, (404, 413, 415, 422, 507), headers=_WHERE, reads={"headers": KeyHeaders, "form": UploadForm}
)
def create() -> Created:
    """Upload a recording: 202 when it is new; 200 with the first one when the same was uploaded before."""
    return _created(accept(service()))


@blueprint.post("/videos/<video_id>/reanalyze")
@operation("videos", _MADE, (410, 422, 507), headers=_WHERE)
def analyze_again(video_id: str, body: Reanalysis | None = None) -> Created:
    """Analyse the same recording by the network that is served now: 202 with a new video; 200 if there is that one."""
    return _created(reanalyze(service(), video_id, body.labels if body else None, body.rotate if body else None))


def _created(outcome: Outcome) -> Created:
    found = find(service(), outcome.video.id)
    message: dict[str, str] = {} if outcome.is_new else {"message": duplicate_sentence(found.status)}
    body = CreatedVideoBody(**dict(found), duplicate=not outcome.is_new, **message)
    return body, 202 if outcome.is_new else 200, replayed(outcome.is_replay)


@blueprint.get("/videos")
@operation("videos")
def index(query: SearchQuery) -> VideosPage:
    """A page of the videos that are searched for."""
    found, total = find_page(service(), query.search, query.limit, query.offset)
    return VideosPage.of(query, videos=found, total=total)


@blueprint.get("/videos/<video_id>")
@operation("videos")
def show(video_id: str) -> VideoBody:
    """One video."""
    return find(service(), video_id)


@blueprint.delete("/videos/<video_id>")
@operation("videos")
def delete(video_id: str) -> None:
    """Delete a video, its timeline and its recording."""
    remove(service(), video_id)


@blueprint.post("/videos/<video_id>/cancel")
@operation("videos", {200: "The video is cancelled"}, (409,))
def cancel(video_id: str) -> VideoBody:
    """Stop a queued or running video."""
    stop(service(), video_id)
    return find(service(), video_id)


@blueprint.post("/videos/<video_id>/retry")
@operation("videos", {202: "The video is queued"}, (409,))
def retry(video_id: str) -> VideoBody:
    """Queue a failed or cancelled video again."""
    queue_again(service(), video_id)
    return find(service(), video_id)


@blueprint.get("/videos/<video_id>/chart.json")
@operation("timelines", problems=(409,))
def chart_json(video_id: str, query: ChartQuery) -> ChartBody:
    """The timeline, or a stretch of it, reduced to what a screen can show."""
    with service().database.read() as session:
        done(videos.get(session, video_id))
    with service().database.read() as session:
        return charts.chart(session, videos.get(session, video_id), query)


def find(service: Service, video_id: str) -> VideoBody:
    """One video.

    Raises:
        NotFound: no such video.
    """
    with service.database.read() as session:
        (described,) = _all_described(session, [videos.get(session, video_id)])
        return described


def find_page(service: Service, search: Search, limit: int, offset: int) -> tuple[list[VideoBody], int]:
    """Videos, and how many the search finds in all."""
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


def _all_described(session: Session, found: Sequence[Video]) -> list[VideoBody]:
    """Videos with what belongs to them, by as many questions to the database for many as for one."""
    progress, others = videos.progress(session, found), videos.other_analyses(session, found)
    made = renders.of_videos(session, [video.id for video in found])
    return [_described(video, progress[video.id], made[video.id], others[video.id]) for video in found]


def _described(video: Video, progress: Progress, made: Sequence[Render], others: Sequence[Video]) -> VideoBody:
    summary = video.summary or {}
    return VideoBody.of(
        video,
        model=_network(video),
        labels=labels_of(video.model_version),
        clip=_clip(video),
        links=VideoLinks(**_links(video.id), **renders_api.links(service(), video, made)),
        progress=VideoProgress.of(progress),
        error=Failure(code=video.error_code, message=video.error_message or "") if video.error_code else None,
        video=video.info | {"size_bytes": video.size_bytes, "sha256": video.sha256},
        frames_by_status=summary.get("frames_by_status"),
        faces=summary.get("faces"),
        persons_grouped=summary.get("persons_alike") is not None if summary else None,
        faces_shown=summary.get("faces_shown"),
        emotion_frames=summary.get("emotion_frames"),
        strip=summary.get("strip"),
        renders=renders_api.described(made),
        warnings=warnings(video),
        suggested_rotate=suggested_rotate(summary.get("turn", 0), video.rotate),
        analyses=[_named(other) for other in others],
    )


def _named(video: Video) -> Analysis:
    return Analysis.of(
        video,
        model=_network(video),
        labels=labels_of(video.model_version),
        clip=_clip(video),
        links=Links(**_links(video.id)),
    )


def _network(video: Video) -> Network:
    return Network(name=video.model, version=video.model_version)


def _clip(video: Video) -> ClipRange | None:
    clip = Clip(video.clip_start_s, video.clip_end_s)
    return None if clip.is_whole else ClipRange.of(clip)


def _links(video_id: str) -> dict[str, str]:
    names = {
        "self": "api.show",
        "chart": "api.chart_json",
        "cancel": "api.cancel",
        "retry": "api.retry",
        "reanalyze": "api.analyze_again",
        "notes": "notes.index",
        "recording": "playback.recording",
        "boxes": "playback.boxes_json",
        "page": "pages.video",
    }
    return export_links(video_id) | {link: url_for(view, video_id=video_id) for link, view in names.items()}
