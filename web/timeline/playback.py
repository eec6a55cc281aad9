"""What a player needs of a video: its recording, in ranges, and the faces to draw over it."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, request
from werkzeug.utils import send_file
from werkzeug.wrappers import Response as WerkzeugResponse

from emotion_timeline.db import videos
from emotion_timeline.db.tables import Video, VideoStatus
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import Conflict
from emotion_timeline.observations import Status
from emotion_timeline.views import boxes, cast
from emotion_timeline.views.boxes import BoxedFace, BoxedStretch
from emotion_timeline.views.cast import ShownFace
from web.http.operations import operation
from web.http.problems import Problem
from web.http.service import service
from web.timeline.schemas import BoxedFaces, BoxedFrames, BoxesBody, BoxesQuery, Parts

blueprint = Blueprint("playback", __name__, url_prefix="/api/v1")

_LONGEST_S = 60.0  # of boxes in one answer
_PART_BYTES = 2 * 1024**2
# By ffmpeg's name of the container; browsers look into the file, and need no more than a type that they don't refuse.
_TYPES = {
    "mov": "video/mp4", "matroska": "video/x-matroska", "avi": "video/x-msvideo", "mpegts": "video/mp2t",
    "mpeg": "video/mpeg", "flv": "video/x-flv", "asf": "video/x-ms-asf", "ogg": "video/ogg", "gif": "image/gif",
}  # fmt: skip
_WEBM_CODECS = ("vp8", "vp9", "av1", "libvpx", "libvpx-vp9", "libdav1d", "libaom-av1")


@blueprint.get("/videos/<video_id>/recording")
@operation("timelines", problems=(410,), media_type="*/*", is_file=True)
def recording(video_id: str, query: Parts) -> WerkzeugResponse:
    """The uploaded file, as it came.

    A browser that is paused reads no further and keeps its request open, and with it one of the server's threads. So
    players add `?parts`: what they ask for comes in parts of 2 MiB, and the next request fetches on from there, as
    RFC 9110 (15.3.7) has it.
    """
    with service().database.read() as session:
        video = videos.get(session, video_id)
    path = service().settings.recording(video_id)
    environ = dict(request.environ)
    if query.parts is not None:
        environ |= _shortened()
    try:
        response = send_file(
            path,
            environ,
            mimetype=_content_type(video.info),
            conditional=True,
            etag=video.sha256,
            last_modified=video.created_at,
        )
    except FileNotFoundError:
        sentence = "The recording of this video is not on the server any more; its timeline is. Upload it again."
        raise Problem(410, "recording_gone", sentence) from None
    response.headers["Content-Disposition"] = "inline"
    return response


def _shortened() -> dict[str, str]:
    """The range that is asked for, cut to the length of a part. Those from the end (-500) are left as they are."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return {}
    start, stop = asked.ranges[0]
    if start < 0:
        return {}
    end = start + _PART_BYTES if stop is None else min(stop, start + _PART_BYTES)
    return {"HTTP_RANGE": f"bytes={start}-{end - 1}"}


def _content_type(info: Mapping[str, Any]) -> str:
    container = str(info.get("container", "")).split(",")[0]
    if container == "matroska" and info.get("codec") in _WEBM_CODECS:
        return "video/webm"
    return _TYPES.get(container, "application/octet-stream")


@blueprint.get("/videos/<video_id>/boxes.json")
@operation("timelines", problems=(409,))
def boxes_json(video_id: str, query: BoxesQuery) -> BoxesBody:
    """The faces that stand in a stretch of the recording, up to a minute of it, in columns.

    A frame stands until the next one, so the first may be from before `from_s`.
    """
    from_s, to_s = query.from_s, query.from_s + _LONGEST_S if query.to_s is None else query.to_s
    if not from_s < to_s <= from_s + _LONGEST_S:
        sentence = f"`to_s` was expected to be after `from_s`, by at most {_LONGEST_S:g} s; {from_s:g} and {to_s:g} "
        raise Problem(400, "bad_stretch", sentence + "were given. Ask for one stretch after the other.")
    with service().database.read() as session:
        video = _done(videos.get(session, video_id))
        found = boxes.stretch(session, video_id, from_s, to_s)
        shown = cast.shown(session, video_id)
    frames, boxed = _columns(found, shown)
    return BoxesBody(
        video_id=video_id,
        from_s=from_s,
        to_s=to_s,
        width=video.info["width"],
        height=video.info["height"],
        previous_s=found.previous_s,
        next_s=found.next_s,
        emotions=list(EMOTIONS),
        statuses=[status.name.lower() for status in Status],
        names={str(face.face_id): face.name for face in shown.values() if face.name},
        frames=frames,
        faces=boxed,
    )


def _done(video: Video) -> Video:
    if video.status is not VideoStatus.DONE:
        raise Conflict(f"Its faces can be had when the video is done; this one is {video.status.value}.")
    return video


def _columns(found: BoxedStretch, shown: Mapping[int, ShownFace]) -> tuple[BoxedFrames, BoxedFaces]:
    frames: dict[str, list[Any]] = {name: [] for name in BoxedFrames.model_fields}
    columns: dict[str, list[Any]] = {name: [] for name in BoxedFaces.model_fields}
    for sampled in found.frames:
        kept = [(shown[boxed.face_id], boxed) for boxed in sampled.faces]
        lines = [_line(face, boxed) for face, boxed in kept if not face.hidden]
        _append(frames, (sampled.frame, round(sampled.timestamp_s, 6), sampled.status.value, len(lines)))
        for line in lines:
            _append(columns, line)
    return BoxedFrames(**frames), BoxedFaces(**columns)


def _line(face: ShownFace, boxed: BoxedFace) -> Iterator[Any]:
    yield face.face_id
    yield from (round(value, 1) for value in boxed.box)
    yield boxed.status.value
    yield None if boxed.emotion is None else EMOTIONS.index(boxed.emotion)
    yield None if boxed.probability is None else round(boxed.probability, 3)


def _append(columns: Mapping[str, list[Any]], line: Any) -> None:
    for column, value in zip(columns.values(), line, strict=True):
        column.append(value)
