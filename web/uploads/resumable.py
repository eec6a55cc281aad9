"""A recording that comes in pieces, over as many connections as it takes: received, kept, and at last examined.

Its bytes lie at <recordings>/<id>.upload.part, and the size of that file is how far it has come: there is no second
record that could differ. Who changes an upload holds a lock on the file, against other threads and other processes.
It becomes a video in one transaction, and the file stays until then; so whatever is interrupted can be done again.
"""

import fcntl
import hashlib
import io
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from emotion_timeline.config import Settings
from emotion_timeline.db import uploads
from emotion_timeline.db.tables import Upload
from web.http.problems import Problem
from web.http.service import Service
from web.uploads.inspection import probe
from web.uploads.intake import describe, record, version_for
from web.uploads.multipart import UploadRequest
from web.uploads.options import Options
from web.uploads.storage import check_space, full_disk_as_problem, part_path, place, second_name

_LOOK_EVERY_BYTES = 64 << 20  # at free space, while writing
_WAIT_S = 10.0  # for another request to let go of an upload
_WAIT_STEP_S = 0.05
_MISMATCH = 460  # tus's own status


@dataclass(frozen=True)
class Checksum:
    """Of one piece, as the client computed it.

    Attributes:
        algorithm: hashlib's name.
        digest: the sum.
    """

    algorithm: str
    digest: bytes


def look(service: Service, upload_id: str) -> tuple[Upload, int]:
    """An upload, and how many of its bytes are here for good.

    Raises:
        NotFound: no such upload.
        Problem: 410, its file is not there any more.
    """
    for _ in range(2):  # its file goes right after its row was changed
        with service.database.read() as session:
            upload = uploads.get(session, upload_id)
        if is_finished(upload):
            return upload, upload.size_bytes
        with suppress(FileNotFoundError):
            size_bytes = upload_part(service.settings, upload_id).stat().st_size
            return upload, size_bytes if upload.unverified_from is None else min(size_bytes, upload.unverified_from)
    raise Problem(410, "upload_gone", "What was received of this upload is not on the server any more. Begin anew.")


def is_finished(upload: Upload) -> bool:
    """Whether it is known what became of it."""
    return upload.video_id is not None or upload.refusal is not None


def check_refusal(upload: Upload) -> None:
    """Repeat what was said when an upload was refused for good, if it was.

    Raises:
        Problem: that.
    """
    if upload.refusal is not None:
        raise Problem(upload.refusal["status"], upload.refusal["code"], upload.refusal["sentence"])


def look_and_finish(service: Service, upload_id: str) -> tuple[Upload, int]:
    """As look(); but whole bytes that were left unexamined, because the process ended, are examined first."""
    upload, offset = look(service, upload_id)
    if is_finished(upload) or offset < upload.size_bytes:
        return upload, offset
    with suppress(Problem), _held(service, upload_id, wait_s=0) as (_, file):  # else somebody is at it
        if file is not None:
            _examine(service, upload)
    return look(service, upload_id)


def stop_sender(service: Service, upload_id: str) -> tuple[Upload, int]:
    """As look(), when nobody sends bytes of the upload any more, so that the offset stays.

    Raises:
        NotFound: no such upload.
        Problem: 410, see look(); 423, another process still has it.
    """
    with _held(service, upload_id):
        return look(service, upload_id)


def append(
    service: Service, upload_id: str, offset: int, incoming: UploadRequest, checksum: Checksum | None
) -> tuple[Upload, int]:
    """Add a piece; the last one has the recording examined and queued.

    Args:
        service: the service.
        upload_id: the upload.
        offset: where the client believes that the piece begins.
        incoming: the request whose body is the piece.
        checksum: of the piece, which is then taken whole or not at all.

    Returns:
        The upload, and the offset after the piece.

    Raises:
        NotFound: no such upload.
        Problem: what is wrong with the piece, or in the end with the recording.
    """
    with _held(service, upload_id) as (upload, file):
        here = upload.size_bytes if file is None else file.seek(0, os.SEEK_END)
        check_refusal(upload)
        if offset != here:
            raise Problem(
                409, "wrong_offset", f"The upload goes on at byte {here:,}, but the piece starts at {offset:,}."
            )
        if here + (incoming.content_length or 0) > upload.size_bytes:
            raise _too_much(upload)
        if file is not None:
            _receive(service, upload, file, incoming, checksum)
            if file.tell() == upload.size_bytes:
                _examine(service, upload)
    return look(service, upload_id)


def discard(service: Service, upload_id: str) -> None:
    """Forget an upload and remove what came of it. A video that it became stays.

    Raises:
        NotFound: no such upload.
        Problem: 410, see look(); 423, another process has it.
    """
    with _held(service, upload_id):
        with service.database.write() as session:
            uploads.remove(session, upload_id)
        upload_part(service.settings, upload_id).unlink(missing_ok=True)


def upload_part(settings: Settings, upload_id: str) -> Path:
    """Where the bytes of an upload lie."""
    return part_path(settings, f"{upload_id}.upload")


@contextmanager
def _held(service: Service, upload_id: str, wait_s: float = _WAIT_S) -> Iterator[tuple[Upload, io.FileIO | None]]:
    """For the length of the block, nobody else changes the upload; its file is None when it is finished.

    Raises:
        NotFound: no such upload.
        Problem: 410, see look(); 423, it can't be had in time.
    """
    upload, _ = look(service, upload_id)
    with ExitStack() as stack:
        file = None
        if not is_finished(upload):
            with suppress(FileNotFoundError):
                file = stack.enter_context(open(upload_part(service.settings, upload_id), "r+b", buffering=0))
                _lock(service, upload_id, file, wait_s)
            upload, offset = look(service, upload_id)  # as the one before left it
            if is_finished(upload):
                file = None
            elif file is not None and file.seek(0, os.SEEK_END) > offset:
                file.truncate(offset)  # a piece whose checksum was never confirmed
        yield upload, file


def _lock(service: Service, upload_id: str, file: io.FileIO, wait_s: float) -> None:
    """Lock a file until it is closed; who sends to this process is told to stop."""
    until = time.monotonic() + wait_s
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() >= until:
            raise Problem(423, "busy", "Another request sends or examines this upload. Try again in some seconds.")
        service.senders.interrupt(upload_id)
        time.sleep(_WAIT_STEP_S)


def _receive(
    service: Service, upload: Upload, file: io.FileIO, incoming: UploadRequest, checksum: Checksum | None
) -> None:
    """Write a piece behind what is there. It is on the disk afterwards, also as far as it came when it was cut off."""
    start = file.tell()
    digest = None if checksum is None else hashlib.new(checksum.algorithm, usedforsecurity=False)
    _touch(service, upload, unverified_from=None if checksum is None else start)
    try:
        with service.senders.sending(upload.id, incoming.connection):
            for data in incoming.pieces():
                _write(service.settings, upload, file, data)
                if digest is not None:
                    digest.update(data)
        if digest is not None and checksum is not None and digest.digest() != checksum.digest:
            raise Problem(_MISMATCH, "checksum_mismatch", "What came is not what the checksum is of. Send it again.")
    except BaseException:
        if checksum is not None:
            file.truncate(start)
        raise
    finally:
        os.fsync(file.fileno())
    if checksum is not None:
        _touch(service, upload, unverified_from=None)


def _touch(service: Service, upload: Upload, unverified_from: int | None) -> None:
    with service.database.write() as session:
        uploads.touch(session, upload.id, unverified_from)


def _write(settings: Settings, upload: Upload, file: io.FileIO, data: bytes) -> None:
    position = file.tell()
    if position + len(data) > upload.size_bytes:
        raise _too_much(upload)
    if position // _LOOK_EVERY_BYTES != (position + len(data)) // _LOOK_EVERY_BYTES:
        check_space(settings, 0)
    left = memoryview(data)
    with full_disk_as_problem():
        while left:
            left = left[file.write(left) :]


def _too_much(upload: Upload) -> Problem:
    return Problem(413, "too_much", f"The upload was announced with {upload.size_bytes:,} bytes, but more came.")


def _examine(service: Service, upload: Upload) -> None:
    """Make a whole upload a video, or find that it can't be one. Its file is held by the caller, and gone afterwards.

    Raises:
        Problem: 422, it is refused for good; else it can't be told or done now, and the file is kept.
    """
    part, options = upload_part(service.settings, upload.id), Options(**upload.options)
    try:
        version = version_for(service, options.labels)
        info = probe(service, part, upload.filename, options)
    except Problem as problem:
        if problem.status == 422:
            with service.database.write() as session:
                uploads.refuse(session, upload.id, problem.status, problem.code, problem.sentence)
            part.unlink()
        raise
    with part.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    new = describe(service, upload.id, upload.filename, upload.size_bytes, sha256, options, info, version)
    own = part_path(service.settings, upload.id)
    own.unlink(missing_ok=True)  # of an earlier try
    with second_name(service.settings, [part], own):
        record(service, lambda path: place(own, path), new, upload_id=upload.id)
    part.unlink()
