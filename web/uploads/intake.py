"""From a form to a queued video: received, examined, named, recorded, and only then sent to the queue. An earlier video
of the same recording takes the place of the form when that is analysed again."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from flask import request
from pydantic import WithJsonSchema

from emotion_timeline.config import served_version
from emotion_timeline.db import idempotency, uploads, videos
from emotion_timeline.db.idempotency import Made
from emotion_timeline.db.tables import Video, VideoStatus
from emotion_timeline.db.videos import NewVideo
from emotion_timeline.detectors import detector_version, embedder_version
from emotion_timeline.errors import ModelError
from emotion_timeline.labels import Labels
from emotion_timeline.service import queue
from emotion_timeline.turning import Rotation
from web.http.idempotency import Key, KeyHeaders, key_of_request
from web.http.operations import read_headers
from web.http.problems import Problem
from web.http.service import Service
from web.uploads import options as options_of
from web.uploads.inspection import probe
from web.uploads.multipart import UploadRequest
from web.uploads.options import Options
from web.uploads.storage import part_path, place, second_name


class UploadForm(Options):
    """What accept() reads, as the API's description tells it."""

    file: Annotated[bytes, WithJsonSchema({"type": "string", "contentMediaType": "application/octet-stream"})]


_FILENAME_LENGTH = 255
# These can show "4pm.exe" as "exe.mp4".
_BIDI_CONTROLS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass(frozen=True)
class Outcome:
    """What became of an upload, or of the wish to have a recording analysed again.

    Attributes:
        video: the new one, or the earlier one that is the same work.
        is_new: which of the two. An earlier one that had failed or was cancelled is queued again.
        is_replay: whether a request with the same idempotency key was answered so before.
    """

    video: Video
    is_new: bool
    is_replay: bool = False


def accept(service: Service) -> Outcome:
    """Take the recording of the present request.

    Raises:
        Problem: it is refused; no file and no row is left.
    """
    served_version(service.settings.model_dir)  # a network that is gone is told now, not after gigabytes
    incoming = cast(UploadRequest, request)
    with incoming.received(service.settings) as (file, part):
        options = options_of.read(incoming.form)
        version = version_for(service, options.labels)
        if part.size_bytes == 0:
            raise Problem(400, "empty", "The file is empty. Choose the recording again.")
        part.finish()
        filename = clean_filename(file.filename or "")
        info = probe(service, part.path, filename, options)
        new = describe(service, part.id, filename, part.size_bytes, part.sha256, options, info, version)
        return record(service, part.keep, new, key=key_of_request(read_headers(KeyHeaders), part.sha256, options))


def reanalyze(service: Service, video_id: str, labels: Labels | None = None, rotate: Rotation | None = None) -> Outcome:
    """Have a video's recording analysed by the network that is served now, in the same way, as a video of its own.

    Args:
        service: the service.
        video_id: the video.
        labels: whose labels to give; None for what the settings say.
        rotate: degrees clockwise by which pictures are turned first; None as for that video.

    Raises:
        NotFound: no such video.
        Problem: the network doesn't give those labels, the recording is gone, or there is no room for a copy; no file
            and no row is left.
    """
    settings = service.settings
    with service.database.read() as session:
        video = videos.get(session, video_id)
        same_content = (video, *videos.other_analyses(session, [video])[video.id])
    options = Options(
        sample_hz=video.sample_hz,
        clip_start_s=video.clip_start_s,
        clip_end_s=video.clip_end_s,
        rotate=cast(Rotation, video.rotate) if rotate is None else rotate,
    )
    version = version_for(service, labels)
    new = describe(
        service, videos.new_id(), video.filename, video.size_bytes, video.sha256, options, video.info, version
    )
    for analysis in same_content:
        if analysis.work_key == new.work_key and analysis.status not in (VideoStatus.FAILED, VideoStatus.CANCELLED):
            return Outcome(analysis, is_new=False)  # there is nothing to do, and no file needed
    part = part_path(settings, new.id)
    with second_name(settings, (settings.recording(analysis.id) for analysis in same_content), part):
        return record(service, lambda path: place(part, path), new)


def describe(
    service: Service,
    video_id: str,
    filename: str,
    size_bytes: int,
    sha256: str,
    options: Options,
    info: dict[str, Any],
    version: str,
) -> NewVideo:
    """A video by the network that is served now; see NewVideo for the arguments."""
    return NewVideo(
        video_id, filename, size_bytes, sha256, options.sample_hz, service.settings.model, version, info,
        options.clip_start_s, options.clip_end_s, detector_version(service.settings.detector_path), options.rotate,
        embedder_version(service.settings.persons),
    )  # fmt: skip


def version_for(service: Service, labels: Labels | None) -> str:
    """The version of what the network that is served now makes.

    Args:
        service: the service.
        labels: whose labels are asked for; None for what the settings say.

    Raises:
        Problem: 422, the network doesn't give those labels.
    """
    settings = service.settings
    try:
        return served_version(settings.model_dir, labels or settings.labels)
    except ModelError as exc:
        if labels is None:
            raise
        served_version(settings.model_dir)  # a folder that can't be used is no fault of who asks
        raise Problem(422, "labels_not_given", str(exc)) from exc


def record(
    service: Service,
    keep: Callable[[Path], None],
    new: NewVideo,
    upload_id: str | None = None,
    key: Key | None = None,
) -> Outcome:
    """Commit the row with its file in place; the file of a duplicate is dropped, unless the first one's is gone.

    Args:
        service: the service.
        keep: gives the file its final name.
        new: the video.
        upload_id: of the resumable upload that brought it, which knows its video from the same moment on.
        key: the client's, by which a repetition of its request is known.

    Raises:
        KeyReused: the key was for another request.
        NotFound: what was made under the key was deleted since.
    """
    recording = service.settings.recording(new.id)
    try:
        with service.database.write() as session:
            if key is not None and (made := idempotency.recall(session, key.key, key.fingerprint)):
                return Outcome(videos.get(session, made.resource), is_new=made.status == 202, is_replay=True)
            video, is_new = videos.create(session, new)
            if key is not None:
                idempotency.remember(session, key.key, key.fingerprint, Made(video.id, 202 if is_new else 200))
            recording = service.settings.recording(video.id)
            if is_new or not recording.exists():
                keep(recording)
            if upload_id is not None:
                uploads.accept(session, upload_id, video.id, is_new=is_new)
    except BaseException:
        service.settings.recording(new.id).unlink(missing_ok=True)
        raise
    queue.call_a_worker()
    return Outcome(video, is_new)


def clean_filename(name: str) -> str:
    """A person's name for a file as harmless text: without folders, control characters and changes of direction."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = (c for c in last if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and c not in _BIDI_CONTROLS)
    return "".join(shown).strip()[:_FILENAME_LENGTH].strip() or "recording"
