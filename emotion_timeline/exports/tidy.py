"""A video's timeline as files: the tidy CSV, streamed, and the JSON sidecar that says how it was made.

web and the command line call the same functions, so a recording gives the same bytes either way.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from emotion_timeline import detectors, turning
from emotion_timeline.clip import Clip
from emotion_timeline.db import notes
from emotion_timeline.db.tables import Video
from emotion_timeline.db.timelines import counts_by_status, interval_s
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.dictionary import EXPORTS, SIDECAR, TIDY
from emotion_timeline.labels import labels_of
from emotion_timeline.shares import Sums, most_probable
from emotion_timeline.views import cast, shown
from emotion_timeline.views.shown import TimelineRow

CSV_COLUMNS = TIDY.header
"""The CSV's header. Outsiders rely on it."""

DATA_DICTIONARY = {column.name: column.meaning for column in TIDY.columns}
"""What each column of the CSV means."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_LINES_PER_CHUNK = 500


def csv_lines(session: Session, video: Video) -> Iterator[str]:
    """The tidy CSV: a row for every frame and face, under the number of the face that it was merged into.

    Args:
        session: an open session; it must stay open until the last chunk.
        video: a finished video.

    Returns:
        See lines().
    """
    return lines(CSV_COLUMNS, timeline(session, video))


def timeline(session: Session, video: Video) -> Iterator[tuple[str, ...]]:
    """The cells of each of its rows; see csv_lines()."""
    head, tail = ends(video)
    for row in shown.rows(session, video.id, hidden=True):
        yield (*head, *_cells(row), tail, text(row.face_name), str(row.shot), number(row.track_id))


def lines(header: Sequence[str], rows: Iterable[Sequence[str]], separator: str = ",") -> Iterator[str]:
    """A CSV in chunks of some hundred lines: UTF-8 text, dot decimals, one header line, blank where there is nothing.

    Args:
        header: names of the columns.
        rows: cells, as short as the header; text by text().
        separator: between cells.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
    writer.writerow(header)
    for count, row in enumerate(rows, 1):
        writer.writerow(row)
        if count % _LINES_PER_CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def ends(video: Video) -> tuple[tuple[str, str], str]:
    """The cells that every row of a video begins with, its id and name, and that of the network's version."""
    return (text(video.id), text(video.filename)), text(video.model_version)


def text(value: str) -> str:
    """Text that no spreadsheet runs as a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def number(value: int | None) -> str:
    """A whole number; blank where there is none."""
    return "" if value is None else str(value)


def plain_text(value: str) -> str:
    """The text that text() wrote."""
    return value[1:] if value.startswith("'") and value[1:].startswith(_FORMULA_STARTS) else value


def _cells(row: TimelineRow) -> Iterator[str]:
    yield str(row.frame)
    yield f"{row.timestamp_s:.6f}"
    yield number(row.face_id)
    yield row.status
    yield "" if row.confidence is None else f"{row.confidence:.4f}"
    yield from ([""] * 4 if row.box is None else (f"{value:.2f}" for value in row.box))
    if row.probabilities is None:
        yield from [""] * (len(EMOTIONS) + 2)
        return
    yield from (f"{probability:.6f}" for probability in row.probabilities)
    place = most_probable(row.probabilities)
    yield EMOTIONS[place]
    yield f"{row.probabilities[place]:.6f}"


def sidecar(session: Session, video: Video, software_version: str) -> dict[str, Any]:
    """How a timeline was made, and what it holds, for the JSON file beside the CSV."""
    cards = cast.cards(session, video.id)
    tracks = cast.tracks(session, video.id)
    return {
        "video_id": video.id,
        "source_file": video.filename,
        "sha256": video.sha256,
        "size_bytes": video.size_bytes,
        "video": video.info,
        "settings": {
            "sample_hz": video.sample_hz,
            "clip": Clip(video.clip_start_s, video.clip_end_s).described(),
            "rotate": video.rotate,
        },
        "model": {"name": video.model, "version": video.model_version},
        "labels": labels_of(video.model_version),
        "labels_meaning": labels_of(video.model_version).meaning,
        "detector": detectors.described(video.detector),
        "persons": persons(video),
        "software": {"name": "emotion-timeline", "version": software_version},
        "emotions": list(EMOTIONS),
        "frames_analyzed": video.frames_total,
        "sample_interval_s": round(interval_s(session, video.id), 6),
        "frames_by_status": counts_by_status(session, video.id),
        "emotion_shares": _rounded(Sums.total(card.sums for card in cards if not card.hidden).shares),
        "faces": (video.summary or {}).get("faces"),
        "face_tracks": [_face(card, tracks) for card in sorted(cards, key=lambda card: card.face_id)],
        "shots": _shots(video),
        "notes": [
            {"start_s": note.start_s, "end_s": note.end_s, "text": note.text} for note in notes.listed(session, video)
        ],
        "analyzed_at": video.finished_at.isoformat() if video.finished_at else None,
        "columns": DATA_DICTIONARY,
        "exports": {
            export.name: {column.name: column.meaning for column in export.columns}
            for export in EXPORTS
            if export not in (TIDY, SIDECAR)
        },
        "warnings": warnings(video),
        "note": "Probabilities describe the expression a face shows, not what the person feels.",
    }


def _shots(video: Video) -> list[dict[str, Any]]:
    return [
        {"shot": number, "first_frame": frame, "first_timestamp_s": round(begin_s, 6)}
        for number, (frame, begin_s) in enumerate(shown.shots(video), 1)
    ]


def warnings(video: Video) -> list[str]:
    """What makes a timeline doubtful, in sentences."""
    said = turning.warning((video.summary or {}).get("turn", 0), video.rotate)
    return [] if said is None else [said]


def persons(video: Video) -> dict[str, Any]:
    """Whether a finished video's tracks were grouped into persons by what they look like, and how."""
    alike = (video.summary or {}).get("persons_alike")
    return {
        "grouped": alike is not None,
        "embedder": detectors.described(video.embedder) if video.embedder else None,
        "least_similarity": alike,
    }


def _face(card: cast.Card, tracks: Mapping[int, Sequence[int]]) -> dict[str, Any]:
    return {
        "face_id": card.face_id,
        "name": card.name,
        "hidden": card.hidden,
        "merged": list(card.merged),
        "track_ids": sorted(track for face_id in (card.face_id, *card.merged) for track in tracks.get(face_id, ())),
        "time_on_screen": round(card.sums.on_screen_s, 6),
        "emotion_shares": _rounded(card.sums.shares),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}
