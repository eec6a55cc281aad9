"""Loaded by Schemathesis: names things that exist, for an API asked about random ids alone only ever answers 404."""

import os

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")  # tus
KNOWN = {
    "video_id": ["done", "queued", "failed", "cancelled"],
    "upload_id": [os.environ.get("KNOWN_UPLOAD", "")],
    "webhook_id": [os.environ.get("KNOWN_WEBHOOK", "")],
    "note_id": [os.environ.get("KNOWN_NOTE", "")],
}


@schemathesis.hook
def map_path_parameters(context, path_parameters):  # type: ignore[no-untyped-def]
    """Put an id that exists in place of most of the random ones."""
    for name, ids in KNOWN.items():
        drawn = (path_parameters or {}).get(name)
        if isinstance(drawn, str) and len(drawn) % 4:
            path_parameters[name] = ids[len(drawn) % len(ids)]
    if isinstance(face_id := (path_parameters or {}).get("face_id"), int):
        path_parameters["face_id"] = face_id % 3 + 1
    return path_parameters
