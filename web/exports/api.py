"""Everything that can be had of a video as a file; emotion_timeline.exports.dictionary says what each is and holds."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, url_for
from sqlalchemy.orm import Session

from emotion_timeline.db import videos
from emotion_timeline.db.tables import Video, VideoStatus
from emotion_timeline.errors import Conflict
from emotion_timeline.exports import excel, long, parquet, summaries, tidy
from emotion_timeline.exports.dictionary import (
    EXCEL,
    EXPORTS,
    LONG,
    NOTES,
    PARQUET,
    PER_FACE,
    PER_SECOND,
    SIDECAR,
    TIDY,
    Export,
)
from emotion_timeline.views import cast
from web.exports.language import Language, preferred_notation
from web.exports.schemas import Export as ExportBody
from web.exports.schemas import ExportColumn, ExportsPage, SidecarBody
from web.http.operations import operation
from web.http.parameters import Hidden
from web.http.service import service

blueprint = Blueprint("exports", __name__, url_prefix="/api/v1")

Pieces = Callable[[Session, Video], Iterator[str] | Iterator[bytes]]


@blueprint.get("/exports")
@operation("timelines")
def index() -> ExportsPage:
    """What can be exported of a video that is done, and what every column means."""
    return ExportsPage(exports=[_described(export) for export in EXPORTS])


@blueprint.get("/videos/<video_id>/timeline.csv")
@operation("timelines", {200: "A row for each frame and face"}, (409,), media_type="text/csv")
def timeline_csv(video_id: str) -> Response:
    """The timeline, one row for each frame and face."""
    return _streamed(video_id, TIDY, tidy.csv_lines)


@blueprint.get("/videos/<video_id>/timeline-excel.csv")
@operation("timelines", {200: "A row for each frame and face"}, (409,), media_type="text/csv")
def timeline_excel_csv(video_id: str, query: Language) -> Response:
    """The timeline for Excel, by the notation of a language."""
    notation = query.language or preferred_notation()
    return _streamed(video_id, EXCEL, partial(excel.excel_lines, notation=notation))


@blueprint.get("/videos/<video_id>/timeline-long.csv")
@operation("timelines", {200: "A row for each frame, face and emotion"}, (409,), media_type="text/csv")
def timeline_long_csv(video_id: str, query: Hidden) -> Response:
    """The timeline, one row for each frame, face and emotion."""
    return _streamed(video_id, LONG, partial(long.long_lines, hidden=query.hidden))


@blueprint.get("/videos/<video_id>/per-second.csv")
@operation("timelines", {200: "A row for each second and face"}, (409,), media_type="text/csv")
def per_second_csv(video_id: str, query: Hidden) -> Response:
    """Means for each second and face."""
    return _streamed(video_id, PER_SECOND, partial(summaries.second_lines, hidden=query.hidden))


@blueprint.get("/videos/<video_id>/per-face.csv")
@operation("timelines", {200: "A row for each face"}, (409,), media_type="text/csv")
def per_face_csv(video_id: str, query: Hidden) -> Response:
    """A summary of each face."""
    return _streamed(video_id, PER_FACE, partial(summaries.face_lines, hidden=query.hidden))


@blueprint.get("/videos/<video_id>/timeline.parquet")
@operation("timelines", {200: "A row for each frame and face"}, (409,), media_type=PARQUET.media_type)
def timeline_parquet(video_id: str, query: Hidden) -> Response:
    """The timeline with typed columns."""
    return _streamed(video_id, PARQUET, partial(parquet.parquet, hidden=query.hidden))


@blueprint.get("/videos/<video_id>/notes.csv")
@operation("timelines", {200: "A row for each note"}, (409,), media_type="text/csv")
def notes_csv(video_id: str) -> Response:
    """A person's own notes."""
    return _streamed(video_id, NOTES, long.note_lines)


@blueprint.get("/videos/<video_id>/timeline.json")
@operation("timelines", {200: "Settings, hashes, versions, counts"}, (409,))
def timeline_json(video_id: str) -> tuple[SidecarBody, int, dict[str, str]]:
    """How the timeline was made."""
    with service().database.read() as session:
        video = done(videos.get(session, video_id))
        body = SidecarBody(**tidy.sidecar(session, video, service().version))
    return body, 200, _as_file(video.filename, SIDECAR.suffix)


def done(video: Video) -> Video:
    """The video, whose timeline is whole.

    Raises:
        Conflict: it is not done.
    """
    if video.status is not VideoStatus.DONE:
        raise Conflict(f"The timeline can be had when the video is done; this one is {video.status.value}.")
    return video


def _as_file(filename: str, suffix: str) -> dict[str, str]:
    """Offer an answer as a file named after the recording (RFC 6266): plain ASCII, and the full name beside it."""
    name = PurePath(filename).stem + suffix
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-()") else "_" for c in name)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, '')}"}


def links(video_id: str) -> dict[str, str]:
    """Address of each file, by its name in Python's manner: timeline_long_csv."""
    return {
        _endpoint(export).removeprefix("exports."): url_for(_endpoint(export), video_id=video_id) for export in EXPORTS
    }


def offered(video_id: str) -> dict[str, Any]:
    """What a page needs to offer the files: each with its address, and whether any face is hidden."""
    with service().database.read() as session:
        is_hidden = any(face.hidden for face in cast.shown(session, video_id).values())
    files = [{"export": export, "url": url_for(_endpoint(export), video_id=video_id)} for export in EXPORTS]
    comma = preferred_notation().decimal == ","
    return {"exports": files, "any_face_is_hidden": is_hidden, "excel": EXCEL, "has_decimal_comma": comma}


def _streamed(video_id: str, export: Export, pieces: Pieces) -> Response:
    """A file, made while it is sent; the session is closed with the response, also when the client goes away."""
    with ExitStack() as stack:
        session = stack.enter_context(service().database.read())
        video = done(videos.get(session, video_id))
        headers = _as_file(video.filename, export.suffix)
        response = Response(pieces(session, video), headers=headers, content_type=export.media_type)
        response.call_on_close(stack.pop_all().close)
    return response


def _endpoint(export: Export) -> str:
    return "exports." + export.name.replace("-", "_").replace(".", "_")


def _described(export: Export) -> ExportBody:
    return ExportBody.of(
        export,
        href=f"{blueprint.url_prefix}/videos/{{id}}/{export.name}",
        omits_hidden_faces=export.omits_hidden,
        columns=[ExportColumn.of(column, unit=column.unit or None) for column in export.columns],
    )
