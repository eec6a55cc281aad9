"""Many timelines as one zip, made while it is sent: nothing of it lies on the disk, and little of it in memory."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import PurePath
from zipfile import ZIP_DEFLATED

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from zipstream import ZipStream

from emotion_timeline.db.tables import Video, VideoStatus
from emotion_timeline.errors import Conflict, NotFound
from emotion_timeline.exports import tidy
from web.http.operations import operation
from web.http.problems import Problem
from web.http.service import Service, service
from web.http.validation import Texts

blueprint = Blueprint("archives", __name__, url_prefix="/api/v1")

LEFT_OUT = "not-included.txt"
_MOST_VIDEOS = 1000
_STEM_BYTES = 180  # of UTF-8; with a number and a suffix it fits into the 255 of a file system
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # no file may be called so on Windows


class Chosen(Texts):
    """Several videos."""

    id: list[str] = Field(description="A video, for each once.")


@blueprint.get("/videos.zip")
@operation("timelines", {200: "A zip"}, (404, 409), media_type="application/zip")
def timelines_zip(query: Chosen) -> Response:
    """The CSVs and sidecars of several videos."""
    return archive(service(), query.id)


def archive(service: Service, video_ids: Sequence[str]) -> Response:
    """A zip with the CSV and the sidecar of every video that is done, and a text that says why others are left out.

    The session is closed with the response, also when the client goes away.

    Raises:
        Problem: 400, no ids, or too many.
        NotFound: not one of the videos is there.
        Conflict: not one of those that are is done.
    """
    wanted = list(dict.fromkeys(video_ids))
    if not 1 <= len(wanted) <= _MOST_VIDEOS:
        sentence = f"From 1 to {_MOST_VIDEOS} videos were expected, each as `id`, but {len(wanted)} were named."
        raise Problem(400, "bad_id", sentence)
    with ExitStack() as stack:
        session = stack.enter_context(service.database.read())
        found = {video.id: video for video in session.scalars(select(Video).where(Video.id.in_(wanted)))}
        done = {name: found[name] for name in wanted if name in found and found[name].status is VideoStatus.DONE}
        left_out = [_why_left_out(name, found.get(name)) for name in wanted if name not in done]
        if not found:
            raise NotFound(" ".join(left_out[:3]))
        if not done:
            raise Conflict("Timelines can be had of videos that are done. " + " ".join(left_out[:3]))
        stream = iter(_zip(session, list(done.values()), left_out, service.version))
        response = Response(stream, content_type="application/zip")
        response.call_on_close(stack.pop_all().close)
    response.headers["Content-Disposition"] = 'attachment; filename="emotion-timelines.zip"'
    return response


def _why_left_out(video_id: str, video: Video | None) -> str:
    if video is None:
        return f"There is no video with the id {video_id[:40]!r}; it may have been deleted."
    return f"{video.filename} is {video.status.value}, so it has no timeline yet."


def _zip(session: Session, videos: Sequence[Video], left_out: Sequence[str], version: str) -> ZipStream:
    packed = ZipStream(compress_type=ZIP_DEFLATED)
    for video, name in zip(videos, unique_names(video.filename for video in videos), strict=True):
        packed.add(_encoded(tidy.csv_lines(session, video)), f"{name}.csv")
        packed.add(_sidecar(session, video, version), f"{name}.json")
    if left_out:
        packed.add("\n".join(left_out) + "\n", LEFT_OUT)
    return packed


def _encoded(chunks: Iterable[str]) -> Iterator[bytes]:
    return (chunk.encode() for chunk in chunks)


def _sidecar(session: Session, video: Video, version: str) -> Iterator[bytes]:
    """Made when its turn comes, as it counts the rows of the timeline."""
    yield json.dumps(tidy.sidecar(session, video, version), indent=2, ensure_ascii=False).encode()


def unique_names(filenames: Iterable[str]) -> Iterator[str]:
    """Names for files, without a suffix, after the recordings' own: safe on every system, and no two alike."""
    taken: set[str] = set()
    for filename in filenames:
        stem = _safe(PurePath(filename).stem)
        candidates = (f"{stem} ({number})" if number > 1 else stem for number in range(1, len(taken) + 2))
        name = next(name for name in candidates if name.casefold() not in taken)
        taken.add(name.casefold())
        yield name


def _safe(stem: str) -> str:
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", stem)
    short = plain.encode(errors="ignore")[:_STEM_BYTES].decode(errors="ignore").strip(". ")
    return f"_{short}" if not short or _RESERVED.match(short) else short
