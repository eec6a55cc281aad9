"""Resumable uploads: what was announced, and what became of it. Their bytes: see web/uploads/resumable.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Upload
from emotion_timeline.db.videos import now
from emotion_timeline.errors import NotFound


@dataclass(frozen=True)
class NewUpload:
    """What a client announces.

    Attributes:
        id: from videos.new_id(); also that of its video, if it becomes one.
        filename: as the person called it.
        size_bytes: of the whole recording.
        options: how to analyse it, as JSON.
        tus_metadata: the header Upload-Metadata as it came.
    """

    id: str
    filename: str
    size_bytes: int
    options: dict[str, Any]
    tus_metadata: str


def create(session: Session, new: NewUpload) -> Upload:
    """Add an upload."""
    upload = Upload(**vars(new), created_at=now(), updated_at=now())
    session.add(upload)
    return upload


def get(session: Session, upload_id: str) -> Upload:
    """One upload.

    Raises:
        NotFound: there is none with this id.
    """
    upload = session.get(Upload, upload_id)
    if upload is None:
        raise NotFound(f"There is no upload with the id {upload_id!r}. It was deleted or has expired; begin a new one.")
    return upload


def touch(session: Session, upload_id: str, unverified_from: int | None) -> None:
    """Bytes are about to come; those from `unverified_from` on count only when touched again without it."""
    changed = {"updated_at": now(), "unverified_from": unverified_from}
    session.execute(update(Upload).where(Upload.id == upload_id).values(changed))


def accept(session: Session, upload_id: str, video_id: str, *, is_new: bool) -> None:
    """It became a video, or was the same as one that is there."""
    result = {"video_id": video_id, "is_duplicate": not is_new, "updated_at": now()}
    session.execute(update(Upload).where(Upload.id == upload_id).values(result))


def refuse(session: Session, upload_id: str, status: int, code: str, sentence: str) -> None:
    """It can't be analysed."""
    refusal = {"status": status, "code": code, "sentence": sentence}
    session.execute(update(Upload).where(Upload.id == upload_id).values(refusal=refusal, updated_at=now()))


def remove(session: Session, upload_id: str) -> None:
    """Forget an upload; a video that it became stays. The caller deletes the file after the commit."""
    session.execute(delete(Upload).where(Upload.id == upload_id))


def remove_expired(session: Session, life_s: float) -> None:
    """Forget what nobody touched for so long, in seconds."""
    session.execute(delete(Upload).where(Upload.updated_at < now() - timedelta(seconds=life_s)))


def unfinished(session: Session, touched_within_s: float | None = None) -> Sequence[Upload]:
    """Uploads with neither a video nor a refusal; only those lately touched, if so many seconds are given."""
    found = select(Upload).where(Upload.video_id.is_(None), Upload.refusal.is_(None))
    if touched_within_s is not None:
        found = found.where(Upload.updated_at >= now() - timedelta(seconds=touched_within_s))
    return session.scalars(found).all()
