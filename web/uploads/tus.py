"""Uploads that survive a lost connection: the tus protocol, version 1.0, under /api/v1/uploads.

See https://tus.io/protocols/resumable-upload. Of its extensions: creation, creation-with-upload, termination, checksum
and expiration. GET is ours: what became of an upload, for whoever lost the answer to its last piece.
"""

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from flask import Blueprint, Response, request, url_for
from werkzeug.http import http_date

from emotion_timeline.db import videos
from emotion_timeline.db.tables import Upload
from emotion_timeline.db.uploads import NewUpload
from web.http.idempotency import REPLAYED, key_of_request
from web.http.openapi import IDEMPOTENCY_KEY, Answer, Parameter, describes
from web.http.problems import Problem
from web.http.schemas import UploadBody
from web.http.service import service
from web.uploads import options, reservations, resumable
from web.uploads.intake import clean_filename, version_for
from web.uploads.multipart import UploadRequest
from web.uploads.resumable import Checksum

blueprint = Blueprint("uploads", __name__, url_prefix="/api/v1/uploads")

_VERSION = "1.0.0"
_EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
_CHECKSUMS = [name for name in ("md5", "sha1", "sha256", "sha512") if name in hashlib.algorithms_available]
_PIECE = "application/offset+octet-stream"
_NUMBER_DIGITS = 18
_TUS = Parameter("Tus-Resumable", "The version of the protocol.", {"enum": [_VERSION]}, "header", required=True)
_LENGTH = Parameter("Upload-Length", "Bytes of the recording.", {"type": "integer", "minimum": 1}, "header", True)
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_PAIR = rf"[!-+\--~]+(?: {_BASE64})?"
_METADATA = Parameter(
    "Upload-Metadata",
    "`filename`, `sample_hz`, `clip_start_s`, `clip_end_s`, `labels`: pairs of a key and a text in Base64, joined by "
    "commas.",
    {"type": "string", "pattern": f"^(?:{_PAIR}(?:,{_PAIR})*)?$"},
    "header",
)
_OFFSET = Parameter("Upload-Offset", "Where the piece begins.", {"type": "integer", "minimum": 0}, "header", True)
_SUM = Parameter(
    "Upload-Checksum",
    "Algorithm and sum of the piece, in Base64.",
    {"type": "string", "pattern": f"^(?:{'|'.join(_CHECKSUMS)}) {_BASE64}$"},
    "header",
)
_PIECES = {_PIECE: {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
_EMPTY = {204: Answer("Done")}
_GONE = "This upload was refused, and what came of it is not kept. Ask for it by GET to read why."


@blueprint.before_request
def _prepare() -> None:
    """Speak one version only. Whoever says nothing in an OPTIONS or a GET is no tus client."""
    cast(UploadRequest, request).limit_silence()
    if request.method not in ("OPTIONS", "GET") and request.headers.get("Tus-Resumable") != _VERSION:
        raise Problem(412, "tus_version", f"The header `Tus-Resumable: {_VERSION}` was expected.")


@blueprint.after_request
def _finish(response: Response) -> Response:
    response.headers["Tus-Resumable"] = _VERSION
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == 412:
        response.headers["Tus-Version"] = _VERSION
    if response.status_code >= 400 and request.method in ("POST", "PATCH"):
        return cast(UploadRequest, request).drain_when_answered(response)
    return response


@blueprint.route("", methods=["OPTIONS"], provide_automatic_options=False)
@blueprint.route("/<upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
@describes("uploads", {204: Answer("Versions, extensions, sizes: in headers")}, also={"OPTIONS": _EMPTY})
def describe(upload_id: str | None = None) -> Response:
    """What this server can do."""
    return _empty(
        204,
        {
            "Tus-Version": _VERSION,
            "Tus-Extension": _EXTENSIONS,
            "Tus-Max-Size": str(service().settings.max_upload_bytes),
            "Tus-Checksum-Algorithm": ",".join(_CHECKSUMS),
        },
    )


@blueprint.route("", methods=["POST"], provide_automatic_options=False)
@describes(
    "uploads",
    {201: Answer("The bytes can be sent", headers={"Location": "its address", "Upload-Offset": "bytes that are here"})},
    (400, 404, 409, 412, 413, 422, 423, 460, 507),
    (_TUS, _LENGTH, _METADATA, IDEMPOTENCY_KEY),
)
def create() -> Response:
    """Announce a recording, and send its first bytes in the same request if you like.

    A repetition with the same `Idempotency-Key`, length and metadata makes no second upload. It is answered with the
    address of the first and how many of its bytes are here; bytes that come with the repetition are not taken.
    """
    given = request.headers.get("Upload-Metadata", "")
    metadata = _read_metadata(given)
    analysis = options.read(metadata)
    version_for(service(), analysis.labels)  # refused now, not after the last byte
    size_bytes = _whole_number("Upload-Length")
    if size_bytes == 0:
        raise Problem(400, "empty", "The file is empty. Choose the recording again.")
    filename = clean_filename(metadata.get("filename") or metadata.get("name") or "")
    new = NewUpload(videos.new_id(), filename, size_bytes, analysis.as_dict(), given)
    key = key_of_request(size_bytes, given)
    upload, offset = reservations.begin(service(), new, key), 0
    if upload.id != new.id:
        return cast(UploadRequest, request).drain_when_answered(_created(*_standing(upload.id), {REPLAYED: "true"}))
    if request.mimetype == _PIECE:
        try:
            upload, offset = _append(upload.id, 0)
        except BaseException:
            if key is None:
                resumable.discard(service(), upload.id)  # nobody knows its address
            raise
    return _created(upload, offset)


@blueprint.route("/<upload_id>", methods=["GET", "HEAD"], provide_automatic_options=False)
@describes(
    "uploads",
    {200: Answer("What became of it", UploadBody)},
    (410, 412, 423),
    (replace(_TUS, methods=("HEAD",)),),
    also={"HEAD": {200: Answer("How far the upload is", headers={"Upload-Offset": "bytes that are here"})}},
)
def show(upload_id: str) -> Response | dict[str, Any]:
    """HEAD: how far an upload is. GET: what became of it."""
    if request.method == "GET":
        return _described(*resumable.look_and_finish(service(), upload_id))
    upload, offset = _standing(upload_id)
    if upload.refusal is not None:
        raise Problem(410, "refused", _GONE)
    headers = {"Upload-Offset": str(offset), "Upload-Length": str(upload.size_bytes)} | _expiry(upload)
    return _empty(200, headers | ({"Upload-Metadata": upload.tus_metadata} if upload.tus_metadata else {}))


@blueprint.route("/<upload_id>", methods=["PATCH"], provide_automatic_options=False)
@describes(
    "uploads",
    {204: Answer("The bytes were received", headers={"Upload-Offset": "bytes that are here"})},
    (400, 409, 410, 412, 413, 415, 422, 423, 460, 507),
    (_TUS, _OFFSET, _SUM),
    content=_PIECES,
)
def patch(upload_id: str) -> Response:
    """Send the next bytes. The last ones are answered when the recording was examined and is queued."""
    if request.mimetype != _PIECE:
        raise Problem(415, "not_a_piece", f"The content type {_PIECE} was expected, but is {request.mimetype!r}.")
    upload, offset = _append(upload_id, _whole_number("Upload-Offset"))
    return _empty(204, {"Upload-Offset": str(offset)} | _expiry(upload))


@blueprint.route("/<upload_id>", methods=["DELETE"], provide_automatic_options=False)
@describes("uploads", _EMPTY, (410, 412, 423), (_TUS,))
def delete(upload_id: str) -> Response:
    """Give an upload up. A video that it became stays."""
    resumable.discard(service(), upload_id)
    return _empty(204, {})


@blueprint.route("/<upload_id>", methods=["POST"], provide_automatic_options=False)
@describes(
    "uploads",
    _EMPTY,
    (400, 405, 409, 410, 412, 413, 415, 422, 423, 460, 507),
    (
        _TUS,
        Parameter("X-HTTP-Method-Override", "What is meant.", {"enum": ["PATCH", "DELETE"]}, "header", required=True),
    ),
)
def override(upload_id: str) -> Response | dict[str, Any]:
    """For clients that can't send the other methods."""
    methods: dict[str, Callable[[str], Response]] = {"PATCH": patch, "DELETE": delete}
    meant = methods.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if meant is None:
        raise Problem(405, "method_not_allowed", "PATCH or DELETE was expected in the header X-HTTP-Method-Override.")
    return meant(upload_id)


def _standing(upload_id: str) -> tuple[Upload, int]:
    """An upload, and how many of its bytes are here, in a number that stays."""
    upload, offset = resumable.look_and_finish(service(), upload_id)
    return (upload, offset) if offset == upload.size_bytes else resumable.stop_sender(service(), upload_id)


def _created(upload: Upload, offset: int, more: dict[str, str] | None = None) -> Response:
    """Raises Problem when its bytes came with the first request and were refused."""
    resumable.check_refusal(upload)
    location = url_for(".show", upload_id=upload.id)
    return _empty(201, {"Location": location, "Upload-Offset": str(offset)} | _expiry(upload) | (more or {}))


def _append(upload_id: str, offset: int) -> tuple[Upload, int]:
    return resumable.append(service(), upload_id, offset, cast(UploadRequest, request), _read_checksum())


def _empty(status: int, headers: dict[str, str]) -> Response:
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response


def _expiry(upload: Upload) -> dict[str, str]:
    """Until when an unfinished upload can be continued."""
    if resumable.is_finished(upload):
        return {}
    return {"Upload-Expires": http_date(upload.updated_at + timedelta(seconds=service().settings.upload_life_s))}


def _described(upload: Upload, offset: int) -> dict[str, Any]:
    video = error = None
    status = "receiving" if offset < upload.size_bytes else "examining"
    if upload.video_id is not None:
        links = {
            "self": url_for("api.show", video_id=upload.video_id),
            "page": url_for("pages.video", video_id=upload.video_id),
        }
        status, video = "accepted", {"id": upload.video_id, "links": links, "duplicate": upload.is_duplicate}
    elif upload.refusal is not None:
        status, error = "refused", {"code": upload.refusal["code"], "message": upload.refusal["sentence"]}
    known = {"id": upload.id, "filename": upload.filename, "size_bytes": upload.size_bytes, "offset": offset}
    return known | {"status": status, "video": video, "error": error}


def _whole_number(header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS):
        sentence = f"The header {header} was expected to be a whole number of bytes, but is {text[:40]!r}."
        raise Problem(400, f"bad_{header.lower().replace('-', '_')}", sentence)
    return int(text)


def _read_checksum() -> Checksum | None:
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in _CHECKSUMS:
        known = ", ".join(_CHECKSUMS)
        raise Problem(400, "bad_checksum", f"A checksum by one of {known} was expected, but is by {algorithm[:40]!r}.")
    return Checksum(algorithm, _decoded("Upload-Checksum", encoded))


def _read_metadata(text: str) -> dict[str, str]:
    """Pairs of a key and a text in Base64."""
    metadata: dict[str, str] = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            metadata[key] = _decoded("Upload-Metadata", encoded.strip()).decode()
        except UnicodeDecodeError as exc:
            raise _not_base64("Upload-Metadata") from exc
    return metadata


def _decoded(header: str, text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _not_base64(header) from exc


def _not_base64(header: str) -> Problem:
    return Problem(400, f"bad_{header.lower().replace('-', '_')}", f"{header} was expected to hold text in Base64.")
