"""Uploads that survive a lost connection: the tus protocol, version 1.0, under /api/v1/uploads.

See https://tus.io/protocols/resumable-upload. Of its extensions: creation, creation-with-upload, termination, checksum
and expiration. GET is ours: what became of an upload, for whoever lost the answer to its last piece.
"""

import binascii
import hashlib
from base64 import b64decode
from datetime import timedelta
from typing import Annotated, Literal, cast

from flask import Blueprint, Response, request, url_for
from pydantic import BeforeValidator, Field, WithJsonSchema
from werkzeug.http import http_date
from werkzeug.wrappers import Response as WerkzeugResponse

from emotion_timeline.db import videos
from emotion_timeline.db.tables import Upload
from emotion_timeline.db.uploads import NewUpload
from web.http.idempotency import KeyHeaders, key_of_request, replayed
from web.http.openapi import PREFIX
from web.http.operations import empty, operation
from web.http.problems import Problem
from web.http.schemas import Failure
from web.http.service import service
from web.http.validation import Texts, WholeNumber
from web.uploads import options, reservations, resumable
from web.uploads.intake import clean_filename, version_for
from web.uploads.multipart import UploadRequest
from web.uploads.resumable import Checksum
from web.uploads.schemas import UploadBody, UploadedVideo

blueprint = Blueprint("uploads", __name__, url_prefix=f"{PREFIX}/uploads")

_VERSION = "1.0.0"
_EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
_CHECKSUMS = [name for name in ("md5", "sha1", "sha256", "sha512") if name in hashlib.algorithms_available]
_PIECE = "application/offset+octet-stream"
_PIECES = {_PIECE: {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
_MOST_BYTES = 10**18 - 1
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_PAIR = rf"[!-+\--~]+(?: {_BASE64})?"
_HERE = {"Upload-Offset": "bytes that are here"}
_GONE = "This upload was refused, and what came of it is not kept. Ask for it by GET to read why."


def _read_checksum(text: str) -> Checksum:
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


_Sum = Annotated[
    Checksum | None,
    BeforeValidator(_read_checksum),
    Field(alias="Upload-Checksum", description="Algorithm and sum of the piece, in Base64."),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{'|'.join(_CHECKSUMS)}) {_BASE64}$"}),
]


class _Tus(Texts):
    tus_resumable: Literal["1.0.0"] = Field(alias="Tus-Resumable", description="The version of the protocol.")


class _Creation(_Tus, KeyHeaders):
    upload_length: WholeNumber = Field(alias="Upload-Length", ge=0, le=_MOST_BYTES, description="Bytes to come.")
    upload_metadata: str = Field(
        "",
        alias="Upload-Metadata",
        description="`filename`, `sample_hz`, `clip_start_s`, `clip_end_s`, `labels`, `rotate`: pairs of a key and a "
        "text in Base64, joined by commas.",
        json_schema_extra={"pattern": f"^(?:{_PAIR}(?:,{_PAIR})*)?$"},
    )
    upload_checksum: _Sum = None


class _Addition(_Tus):
    upload_offset: WholeNumber = Field(alias="Upload-Offset", ge=0, le=_MOST_BYTES, description="Where it begins.")
    upload_checksum: _Sum = None


class _Override(_Tus):
    meant: str = Field(
        "",
        alias="X-HTTP-Method-Override",
        description="What is meant.",
        json_schema_extra={"enum": ["PATCH", "DELETE"]},
    )


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


@blueprint.route("", methods=["OPTIONS"], endpoint="describe", provide_automatic_options=False)
@blueprint.route("/<upload_id>", methods=["OPTIONS"], endpoint="describe_one", provide_automatic_options=False)
@operation("uploads", {204: "Versions, extensions, sizes: in headers"})
def describe(upload_id: str | None = None) -> Response:
    """What this server can do."""
    return empty(
        204,
        {
            "Tus-Version": _VERSION,
            "Tus-Extension": _EXTENSIONS,
            "Tus-Max-Size": str(service().settings.max_upload_bytes),
            "Tus-Checksum-Algorithm": ",".join(_CHECKSUMS),
        },
    )


@blueprint.route("", methods=["POST"], provide_automatic_options=False)
@operation(
    "uploads",
    {201: "The recording can be sent"},
    (404, 409, 412, 413, 422, 423, 460, 507),
    headers={"Location": "its address"} | _HERE,
)
def create(headers: _Creation) -> Response:
    """Announce a recording, and send its first bytes in the same request if you like.

    A repetition with the same `Idempotency-Key`, length and metadata makes no second upload. It is answered with the
    address of the first and how many of its bytes are here; bytes that come with the repetition are not taken.
    """
    given, size_bytes = headers.upload_metadata, headers.upload_length
    metadata = _read_metadata(given)
    analysis = options.read({name: metadata[name] for name in options.Options.model_fields if name in metadata})
    version_for(service(), analysis.labels)  # refused now, not after the last byte
    if size_bytes == 0:
        raise Problem(400, "empty", "The file is empty. Choose the recording again.")
    filename = clean_filename(metadata.get("filename") or metadata.get("name") or "")
    new = NewUpload(videos.new_id(), filename, size_bytes, analysis.model_dump(), given)
    key = key_of_request(headers, size_bytes, given)
    upload, offset = reservations.begin(service(), new, key), 0
    if upload.id != new.id:
        return cast(UploadRequest, request).drain_when_answered(_created(*_standing(upload.id), replayed(True)))
    if request.mimetype == _PIECE:
        try:
            upload, offset = _append(upload.id, 0, headers.upload_checksum)
        except BaseException:
            if key is None:
                resumable.discard(service(), upload.id)  # nobody knows its address
            raise
    return _created(upload, offset)


@blueprint.route("/<upload_id>", methods=["HEAD"], provide_automatic_options=False)
@operation("uploads", {200: "How far it is"}, (410, 412, 423), headers=_HERE)
def measure(upload_id: str, headers: _Tus) -> Response:
    """How far an upload is."""
    upload, offset = _standing(upload_id)
    if upload.refusal is not None:
        raise Problem(410, "refused", _GONE)
    told = {"Upload-Offset": str(offset), "Upload-Length": str(upload.size_bytes)} | _expiry(upload)
    return empty(200, told | ({"Upload-Metadata": upload.tus_metadata} if upload.tus_metadata else {}))


@blueprint.route("/<upload_id>", methods=["GET"], provide_automatic_options=False)
@operation("uploads", {200: "What became of it"}, (410, 423))
def show(upload_id: str) -> UploadBody:
    """What became of an upload."""
    return _described(*resumable.look_and_finish(service(), upload_id))


@blueprint.route("/<upload_id>", methods=["PATCH"], provide_automatic_options=False)
@operation(
    "uploads",
    {204: "The piece is here"},
    (409, 410, 412, 413, 415, 422, 423, 460, 507),
    headers=_HERE,
    content=_PIECES,
)
def patch(upload_id: str, headers: _Addition) -> Response:
    """Send the next bytes. The last ones are answered when the recording was examined and is queued."""
    if request.mimetype != _PIECE:
        raise Problem(415, "not_a_piece", f"The content type {_PIECE} was expected, but is {request.mimetype!r}.")
    upload, offset = _append(upload_id, headers.upload_offset, headers.upload_checksum)
    return empty(204, {"Upload-Offset": str(offset)} | _expiry(upload))


@blueprint.route("/<upload_id>", methods=["DELETE"], provide_automatic_options=False)
@operation("uploads", problems=(410, 412, 423))
def delete(upload_id: str, headers: _Tus) -> None:
    """Give an upload up. A video that it became stays."""
    resumable.discard(service(), upload_id)


@blueprint.route("/<upload_id>", methods=["POST"], provide_automatic_options=False)
@operation("uploads", {204: "Done"}, (405, 409, 410, 412, 413, 415, 422, 423, 460, 507))
def override(upload_id: str, headers: _Override) -> WerkzeugResponse:
    """For clients that can't send the other methods."""
    meant = {"PATCH": patch, "DELETE": delete}.get(headers.meant.upper())
    if meant is None:
        raise Problem(405, "method_not_allowed", "PATCH or DELETE was expected in the header X-HTTP-Method-Override.")
    return meant(upload_id=upload_id)


def _standing(upload_id: str) -> tuple[Upload, int]:
    """An upload, and how many of its bytes are here, in a number that stays."""
    upload, offset = resumable.look_and_finish(service(), upload_id)
    return (upload, offset) if offset == upload.size_bytes else resumable.stop_sender(service(), upload_id)


def _created(upload: Upload, offset: int, more: dict[str, str] | None = None) -> Response:
    """Raises Problem when its bytes came with the first request and were refused."""
    resumable.check_refusal(upload)
    location = url_for(".show", upload_id=upload.id)
    return empty(201, {"Location": location, "Upload-Offset": str(offset)} | _expiry(upload) | (more or {}))


def _append(upload_id: str, offset: int, checksum: Checksum | None) -> tuple[Upload, int]:
    return resumable.append(service(), upload_id, offset, cast(UploadRequest, request), checksum)


def _expiry(upload: Upload) -> dict[str, str]:
    """Until when an unfinished upload can be continued."""
    if resumable.is_finished(upload):
        return {}
    return {"Upload-Expires": http_date(upload.updated_at + timedelta(seconds=service().settings.upload_life_s))}


def _described(upload: Upload, offset: int) -> UploadBody:
    video = error = None
    status: Literal["receiving", "examining", "accepted", "refused"]
    status = "receiving" if offset < upload.size_bytes else "examining"
    if upload.video_id is not None:
        names = {"self": "api.show", "page": "pages.video"}
        links = {link: url_for(view, video_id=upload.video_id) for link, view in names.items()}
        status = "accepted"
        video = UploadedVideo(id=upload.video_id, links=links, duplicate=upload.is_duplicate)
    elif upload.refusal is not None:
        status, error = "refused", Failure(code=upload.refusal["code"], message=upload.refusal["sentence"])
    return UploadBody.of(upload, offset=offset, status=status, video=video, error=error)
