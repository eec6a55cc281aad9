"""An upload on its way from the socket to the data folder: never in memory, never in the system's temporary folder.

Werkzeug asks the request for a stream for every file in a form; UploadRequest answers with a PartFile in the recordings
folder, which hashes and measures what it writes. Whoever reads the form owns the parts and discards what isn't kept.
"""

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from flask import Request, Response, after_this_request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from emotion_timeline.config import Settings
from emotion_timeline.db import videos
from web.http.malformed import Body
from web.http.problems import Problem
from web.http.service import service
from web.uploads.storage import check_space, full_disk_as_problem, part_path, place

_ENVELOPE_BYTES = 1 << 20  # multipart's own lines and the small fields
_FIELD_BYTES = 256 * 1024  # the parser's read buffer of 64 KiB counts too
_FIELDS = 8
_READ_BYTES = 64 * 1024
_LOOK_EVERY_BYTES = 64 << 20  # at free space, while writing
_SILENCE_S = 120.0  # without a byte, before a sender is taken for gone
_DRAIN_SILENCE_S = 2.0
_DRAIN_BYTES = 32 << 20  # read of a refused upload, so that the sender sees the answer and not a broken connection


class PartFile:
    """A file that is being received, at <recordings>/<id>.part.

    Args:
        settings: the limits and the folder.
    """

    def __init__(self, settings: Settings) -> None:
        self.id = videos.new_id()
        self.path = part_path(settings, self.id)
        self.size_bytes = 0
        self._settings = settings
        self._hash = hashlib.sha256()
        self._next_look = _LOOK_EVERY_BYTES
        with full_disk_as_problem():
            self._file = open(self.path, "xb")  # noqa: SIM115 - closed by finish() or discard()

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Add bytes.

        Raises:
            Problem: 413 beyond the largest size, 507 when the disk is full.
        """
        self.size_bytes += len(data)
        if self.size_bytes > self._settings.max_upload_bytes:
            raise too_large(self._settings)
        if self.size_bytes >= self._next_look:
            check_space(self._settings, 0)
            self._next_look += _LOOK_EVERY_BYTES
        self._hash.update(data)
        with full_disk_as_problem():
            return self._file.write(data)

    def seek(self, _position: int) -> int:
        """Nothing: the form parser rewinds what it wrote for a reader that doesn't exist here."""
        return 0

    def close(self) -> None:
        """Nothing: see finish() and discard()."""

    def finish(self) -> None:
        """Make sure that the bytes are on the disk before a row says that they are."""
        with full_disk_as_problem():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def keep(self, path: Path) -> None:
        """Give the file its final name; a finished part is then nobody's to discard."""
        place(self.path, path)

    def discard(self) -> None:
        """Remove what is left under the temporary name."""
        with suppress(OSError):  # a full disk complains again when the buffer is written at closing
            self._file.close()
        self.path.unlink(missing_ok=True)


class _StrictParser(FormDataParser):
    """Werkzeug's parser takes a form that was cut off for an empty one; this one raises ValueError."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"silent": False})


class UploadRequest(Request):
    """A request whose files go straight to the recordings folder."""

    form_data_parser_class = _StrictParser
    max_form_parts = _FIELDS
    max_form_memory_size = _FIELD_BYTES

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.environ["wsgi.input"] = Body(self.environ["wsgi.input"])
        self.parts: list[PartFile] = []
        self._expects_upload = False

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if not self._expects_upload:
            raise Problem(400, "unexpected_file", "No file was expected here.")
        if self.parts:
            raise Problem(400, "several_files", "One recording was expected, but several came. Upload them one by one.")
        self.parts.append(PartFile(service().settings))
        return cast(IO[bytes], self.parts[0])

    @contextmanager
    def received(self, settings: Settings) -> Iterator[tuple[FileStorage, PartFile]]:
        """Receive the one file of this form; at the end of the block, what isn't kept of it is removed.

        Raises:
            Problem: 400, 413, 415 or 507, with nothing left on the disk.
        """
        self._expects_upload = True
        self.max_content_length = settings.max_upload_bytes + _ENVELOPE_BYTES
        self.limit_silence()
        try:
            yield self._receive(settings)
        except Problem:
            after_this_request(self.drain_when_answered)
            raise
        finally:
            for part in self.parts:
                part.discard()

    def _receive(self, settings: Settings) -> tuple[FileStorage, PartFile]:
        if self.mimetype != "multipart/form-data":
            raise Problem(415, "not_a_form", "A multipart form with the recording in the field `file` was expected.")
        if (self.content_length or 0) > settings.max_upload_bytes + _ENVELOPE_BYTES:
            raise too_large(settings)
        check_space(settings, self.content_length or 0)
        try:
            files = self.files.items(multi=True)
            upload = next((file for name, file in files if name == "file" and (file.filename or self._size())), None)
        except RequestEntityTooLarge as exc:
            raise self._too_large_or_odd(settings) from exc
        except (ValueError, ClientDisconnected) as exc:  # ValueError: the form ends before its last boundary
            raise Problem(
                400, "incomplete", "The upload was cut off before its end, or is no proper form. Upload it again."
            ) from exc
        if upload is None:
            raise Problem(400, "no_file", "A recording in the form field `file` was expected, but none came.")
        return upload, self.parts[0]

    def _size(self) -> int:
        return self.parts[0].size_bytes if self.parts else 0

    def _too_large_or_odd(self, settings: Settings) -> Problem:
        if self._size() >= settings.max_upload_bytes:
            return too_large(settings)
        return Problem(413, "form_too_large", "The form has more or larger fields than are known here.")

    @property
    def connection(self) -> "socket.socket | None":
        """Where the bytes come from, if the server hands it out."""
        return cast("socket.socket | None", self.environ.get("gunicorn.socket"))

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes, for a request that is no form.

        Raises:
            Problem: 400, it was cut off before its end.
        """
        left = self.content_length
        while left != 0 and (left is not None or self.environ.get("wsgi.input_terminated")):
            try:
                data = self.environ["wsgi.input"].read(min(left or _READ_BYTES, _READ_BYTES))
            except OSError as exc:
                raise _cut_off() from exc
            if not data and left is None:
                return
            if not data:
                raise _cut_off()
            yield data
            left = None if left is None else left - len(data)

    def limit_silence(self, silence_s: float = _SILENCE_S) -> None:
        """A sender that vanished without a word (a closed laptop) must not keep a thread for ever. Gunicorn has no such
        limit for a body, but hands out its socket, and makes it block again for the next request."""
        if self.connection is not None:
            self.connection.settimeout(silence_s)

    def drain_when_answered(self, response: Response) -> Response:
        """For the answer to a body that was refused."""
        response.call_on_close(self._drain)
        return response

    def _drain(self) -> None:
        """Read some of a refused body, after the answer was sent: a connection closed with unread bytes is reset, and
        the sender would see that in place of the answer."""
        with suppress(Exception):  # whatever happens to a connection that is about to be closed
            self.limit_silence(_DRAIN_SILENCE_S)
            left = min(_DRAIN_BYTES, self.content_length or _DRAIN_BYTES)
            while left > 0 and (data := self.environ["wsgi.input"].read(min(left, 1 << 16))):
                left -= len(data)


def _cut_off() -> Problem:
    return Problem(400, "incomplete", "The upload was cut off; what came is kept. Ask how far it is, and go on there.")


def too_large(settings: Settings) -> Problem:
    """The refusal of a recording beyond the largest size."""
    limit_mb = settings.max_upload_bytes / 1e6
    return Problem(413, "too_large", f"A recording may have up to {limit_mb:,.6g} MB here; this one is larger.")
