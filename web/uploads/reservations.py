"""Room for a recording that is to come in pieces, and what is removed to make it. Its bytes: see resumable.py."""

import time
from contextlib import suppress

from emotion_timeline.config import Settings
from emotion_timeline.db import idempotency, uploads
from emotion_timeline.db.idempotency import Made
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Upload
from emotion_timeline.db.uploads import NewUpload
from web.http.idempotency import Key
from web.http.service import Service
from web.uploads.multipart import too_large
from web.uploads.resumable import upload_part
from web.uploads.storage import check_space, full_disk_as_problem, remove_abandoned, sync

_PART_LIFE_S = 3600.0  # without a write, after which a part that no upload needs belongs to a process that is gone
_ON_THE_WAY_S = 3600.0  # since it was touched, in which an upload's missing bytes count as taken


def begin(service: Service, new: NewUpload, key: Key | None = None) -> Upload:
    """Make room for an upload.

    Args:
        service: the service.
        new: the upload.
        key: the client's, by which a repetition of its request is known.

    Returns:
        The upload; when the request is a repetition, the one that the first made, which has another id.

    Raises:
        KeyReused: the key was for another request.
        NotFound: what was made under the key was deleted since.
        Problem: 413 or 507.
    """
    settings = service.settings
    if new.size_bytes > settings.max_upload_bytes:
        raise too_large(settings)
    tidy(settings, service.database)
    if key is not None:
        with service.database.read() as session:  # before looking for space, which the first has taken
            if made := idempotency.recall(session, key.key, key.fingerprint):
                return uploads.get(session, made.resource)
    check_space(settings, new.size_bytes + _still_to_come(service))
    with full_disk_as_problem():
        upload_part(settings, new.id).touch(exist_ok=False)
        sync(settings.recordings_dir)
    with service.database.write() as session:
        made = Made(new.id, 201)
        if key is not None:
            made = idempotency.remember(session, key.key, key.fingerprint, made)
        if made.resource == new.id:
            return uploads.create(session, new)
    upload_part(settings, new.id).unlink()  # the same request, at the same time, was first
    with service.database.read() as session:
        return uploads.get(session, made.resource)


def tidy(settings: Settings, database: Database) -> None:
    """Forget uploads that nobody goes on with, and remove their files and others that were left behind."""
    with database.write() as session:
        uploads.remove_expired(session, settings.upload_life_s)
        needed = {upload_part(settings, upload.id).name for upload in uploads.unfinished(session)}
    remove_abandoned(settings.recordings_dir, before=time.time() - _PART_LIFE_S, needed=needed)


def _still_to_come(service: Service) -> int:
    """Bytes that uploads on their way have yet to bring."""
    with service.database.read() as session:
        coming = uploads.unfinished(session, _ON_THE_WAY_S)
    missing = 0
    for upload in coming:
        with suppress(FileNotFoundError):
            missing += upload.size_bytes - upload_part(service.settings, upload.id).stat().st_size
    return missing
