"""Loaded by Schemathesis: puts what exists into its requests, for an API asked at random answers 404 and 400 only.

Ids are replaced in all phases, except in every `_RANDOM`th call of an operation, which keeps what was drawn, and except
for those that exist: Schemathesis draws from earlier answers, too. The phase "examples" asks each operation, once, for
what it ought to grant. Every answer's status is written down, so that the test can tell whether all were reached.
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import schemathesis

from tests.openapi_known import UPLOAD_BYTES, Known

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")  # tus

_RANDOM = 6
_known = Known(Path(os.environ["KNOWN_FOLDER"]))
_tally = open(os.environ["KNOWN_TALLY"], "a", buffering=1)  # noqa: SIM115 - open as long as Schemathesis runs
_calls: Counter[str] = Counter()

_VIDEO = "/api/v1/videos/{video_id}"
_UPLOAD = "/api/v1/uploads/{upload_id}"
_WEBHOOK = "/api/v1/webhooks/{webhook_id}"
_TUS = {"Tus-Resumable": "1.0.0"}
_OWN: dict[str, dict[str, Callable[[], Any]]] = {
    f"DELETE {_VIDEO}": {"video_id": _known.fresh_video},
    f"POST {_VIDEO}/cancel": {"video_id": _known.fresh_video},
    f"POST {_VIDEO}/retry": {"video_id": _known.fresh_video},
    f"PATCH {_VIDEO}/notes/{{note_id}}": {"video_id": lambda: "done", "note_id": _known.note},
    f"DELETE {_VIDEO}/notes/{{note_id}}": {"video_id": lambda: "done", "note_id": _known.note},
    f"DELETE {_WEBHOOK}": {"webhook_id": _known.webhook},
    f"POST {_WEBHOOK}/deliveries/{{delivery_id}}/retry": {
        "webhook_id": lambda: _known.lasting_webhook,
        "delivery_id": _known.delivery,
    },
    f"GET {_VIDEO}/overlay.mp4": {"video_id": _known.drawn_video},
    f"GET {_VIDEO}/faces/{{face_id}}.jpg": {"video_id": lambda: "done"},
    f"PATCH {_UPLOAD}": {"upload_id": _known.fresh_upload},
    f"POST {_UPLOAD}": {"upload_id": _known.fresh_upload},
    f"DELETE {_UPLOAD}": {"upload_id": _known.fresh_upload},
}
_IDS: dict[str, Callable[[], Any]] = {
    "video_id": _known.video,
    "upload_id": _known.upload,
    "webhook_id": lambda: _known.lasting_webhook,
    "face_id": lambda: 1,
    "frame": lambda: 1,
}
_GRANTED: dict[str, dict[str, Any]] = {
    f"POST {_VIDEO}/cancel": {"path_parameters": {"video_id": _known.fresh_video("queued")}},
    f"POST {_VIDEO}/retry": {"path_parameters": {"video_id": _known.fresh_video("failed")}},
    f"POST {_VIDEO}/notes": {"body": {"start_s": 0.5, "end_s": 1.5, "text": "task 1"}},
    f"PATCH {_VIDEO}/notes/{{note_id}}": {"body": {"text": "task 2"}},
    f"PATCH {_VIDEO}/faces/{{face_id}}": {"body": {"name": "Eileen"}},
    "POST /api/v1/videos": {"body": {"file": _known.clip}, "media_type": "multipart/form-data"},
    "GET /api/v1/videos.zip": {"query": {"id": ["done", "queued"]}},
    "POST /api/v1/webhooks": {"body": {"url": "https://example.org"}},
    "POST /api/v1/uploads": {"headers": _TUS | {"Upload-Length": "100"}},
    f"HEAD {_UPLOAD}": {"headers": _TUS},
    f"DELETE {_UPLOAD}": {"headers": _TUS},
    f"POST {_UPLOAD}": {"headers": _TUS | {"X-HTTP-Method-Override": "DELETE"}},
    f"PATCH {_UPLOAD}": {
        "path_parameters": {"upload_id": _known.fresh_upload(len(_known.clip))},
        "headers": _TUS | {"Upload-Offset": "0"},
        "body": _known.clip,
        "media_type": "application/offset+octet-stream",
    },
}


@schemathesis.hook
def before_add_examples(context, examples):  # type: ignore[no-untyped-def]
    """Ask once for what ought to be granted."""
    operation = context.operation
    granted = _GRANTED.get(operation.label, {})
    ids = {parameter.name: None for parameter in operation.path_parameters}
    wanted = {**granted, "path_parameters": ids | granted.get("path_parameters", {})}
    if "body" in wanted:
        wanted.setdefault("media_type", "application/json")
    examples.append(operation.Case(**wanted))


@schemathesis.hook
def before_call(context, case, kwargs):  # type: ignore[no-untyped-def]
    """Put what exists in the place of what was drawn."""
    label = case.operation.label
    _calls[label] += 1
    drawn, own = case.path_parameters, _OWN.get(label, {})
    is_spared = bool(own) and any(map(_known.stays, drawn.values()))
    if is_spared or not (_calls[label] % _RANDOM == 0 or all(_known.exists(*pair) for pair in drawn.items())):
        case.path_parameters |= {name: make() for name, make in (_IDS | own).items() if name in drawn}
    if _calls[label] % 2:
        _complete(label, case)


def _complete(label: str, case: Any) -> None:
    """Put in what can't be guessed besides ids: a recording, a piece's place, what is to be packed, an ETag."""
    if "If-None-Match" in case.headers:
        case.headers["If-None-Match"] = "*"
    if label == "POST /api/v1/videos" and isinstance(case.body, dict) and "file" in case.body:
        case.body["file"] = _known.clip
    elif label == "GET /api/v1/videos.zip":
        case.query["id"] = ["done", _known.video(), _known.video()]
    elif label == f"PATCH {_UPLOAD}" and isinstance(case.body, bytes) and len(case.body) <= UPLOAD_BYTES:
        case.headers["Upload-Offset"] = "0"


@schemathesis.hook
def after_call(context, case, response):  # type: ignore[no-untyped-def]
    """Write down how it was answered."""
    print(case.method, case.path, response.status_code, sep="\t", file=_tally)
