"""A video's timeline as files: the CSV, streamed, and the JSON sidecar that says how it was made.

web and the command line call the same functions, so a recording gives the same bytes either way.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from worker.clip import Clip
from worker.db import faces
from worker.db.tables import Video
from worker.db.timelines import TimelineRow, counts_by_status, read
from worker.emotions import EMOTIONS

CSV_COLUMNS = (
    "video_id", "source_file", "frame", "timestamp", "face_id", "status", "confidence",
    "box_x", "box_y", "box_w", "box_h", *EMOTIONS, "emotion", "emotion_probability", "model_version",
)  # fmt: skip
"""The CSV's header. Outsiders rely on it."""

DATA_DICTIONARY = {
    "video_id": "the video's id in the service",
    "source_file": "the recording's name as uploaded",
    "frame": "0-based index of the frame in presentation order, over all frames of the recording",
    "timestamp": "presentation time in seconds from the recording's first frame",
    "face_id": "1-based number of the face over the recording, one number for merged faces; blank where there is none",
    "status": "ok; no_face; too_small (a face was found but is too small to classify); decode_error (no picture)",
    "confidence": "the face detector's score, 0-1; not the emotion's",
    "box_x": "left edge of the face's box, pixels of the frame as displayed, origin top left",
    "box_y": "top edge of the face's box, pixels",
    "box_w": "width of the face's box, pixels",
    "box_h": "height of the face's box, pixels",
    **{emotion: f"probability that the expression shown is {emotion}, 0-1; the seven sum to 1" for emotion in EMOTIONS},
    "emotion": "the most probable of the seven",
    "emotion_probability": "its probability",
    "model_version": "version of the network that made the row",
}
"""What each column of the CSV means."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_LINES_PER_CHUNK = 500


def csv_lines(session: Session, video: Video) -> Iterator[str]:
    """The CSV in chunks of some hundred lines: UTF-8 text, dot decimals, one header line, blank where there is nothing.

    Args:
        session: an open session; it must stay open until the last chunk.
        video: a finished video.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    head, tail = (_text(video.id), _text(video.filename)), _text(video.model_version)
    face_ids = {tracked: str(face.face_id) for tracked, face in faces.shown(session, video.id).items()}
    for count, row in enumerate(read(session, video.id), 1):
        writer.writerow((*head, *_cells(row, face_ids), tail))
        if count % _LINES_PER_CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _text(value: str) -> str:
    """Text that no spreadsheet runs as a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def _cells(row: TimelineRow, face_ids: dict[int, str]) -> Iterator[str]:
    yield str(row.frame)
    yield f"{row.timestamp_s:.6f}"
    yield "" if row.face_id is None else face_ids[row.face_id]
    yield row.status.name.lower()
    yield "" if row.confidence is None else f"{row.confidence:.4f}"
    yield from ([""] * 4 if row.box is None else (f"{value:.2f}" for value in row.box))
    if row.probabilities is None:
        yield from [""] * (len(EMOTIONS) + 2)
        return
    yield from (f"{probability:.6f}" for probability in row.probabilities)
    strongest = int(np.argmax(row.probabilities))
    yield EMOTIONS[strongest]
    yield f"{row.probabilities[strongest]:.6f}"


def sidecar(session: Session, video: Video, software_version: str) -> dict[str, Any]:
    """How a timeline was made, and what it holds, for the JSON file beside the CSV."""
    return {
        "video_id": video.id,
        "source_file": video.filename,
        "sha256": video.sha256,
        "size_bytes": video.size_bytes,
        "video": video.info,
        "settings": {"sample_hz": video.sample_hz, "clip": Clip(video.clip_start_s, video.clip_end_s).described()},
        "model": {"name": video.model, "version": video.model_version},
        "software": {"name": "emotion-timeline", "version": software_version},
        "emotions": list(EMOTIONS),
        "frames_analyzed": video.frames_total,
        "frames_by_status": counts_by_status(session, video.id),
        "faces": (video.summary or {}).get("faces"),
        "face_tracks": [
            {"face_id": face.face_id, "name": face.name, "hidden": face.hidden, "merged": merged}
            for face, merged in faces.members(session, video.id).items()
        ],
        "analyzed_at": video.finished_at.isoformat() if video.finished_at else None,
        "columns": DATA_DICTIONARY,
        "note": "Probabilities describe the expression a face shows, not what the person feels.",
    }
