"""A person's own notes on a recording, by any video of it, in the HTTP API; and what the pages share with it."""

import math
from typing import Any

from flask import Blueprint, url_for

from emotion_timeline.db import notes, videos
from emotion_timeline.db.notes import Written
from emotion_timeline.db.tables import Note, Video
from web.http.formatting import exact
from web.http.operations import operation
from web.http.problems import Problem
from web.http.schemas import SelfLink
from web.http.service import service
from web.notes.schemas import NewNote, NoteBody, NoteChange, NotesPage

blueprint = Blueprint("notes", __name__, url_prefix="/api/v1/videos/<video_id>/notes")

_SLACK_S = 0.0005  # notes are kept to the millisecond, so the end of a recording may be rounded up


@blueprint.get("")
@operation("notes")
def index(video_id: str) -> NotesPage:
    """All notes on a video's recording, in order of time: the same for all its analyses."""
    return NotesPage(notes=find(video_id))


@blueprint.post("")
@operation("notes", {201: "The note was added"}, (409,), headers={"Location": "its address"})
def create(video_id: str, body: NewNote) -> NoteBody:
    """Add a note: 201."""
    return _described(video_id, add(video_id, body))


@blueprint.patch("/<note_id>")
@operation("notes")
def change(video_id: str, note_id: str, body: NoteChange) -> NoteBody:
    """Change what is given of a note."""
    return _described(video_id, edit(video_id, note_id, body))


@blueprint.delete("/<note_id>")
@operation("notes")
def delete(video_id: str, note_id: str) -> None:
    """Delete a note: 204."""
    remove(video_id, note_id)


def find(video_id: str) -> list[NoteBody]:
    """All notes on a video's recording, in order of time.

    Raises:
        NotFound: no such video.
    """
    with service().database.read() as session:
        return [_described(video_id, note) for note in notes.listed(session, videos.get(session, video_id))]


def add(video_id: str, new: NewNote) -> Note:
    """Keep a new note.

    Raises:
        NotFound: no such video.
        Problem: 400, its times lie outside of the recording.
    """
    with service().database.write() as session:
        video = videos.get(session, video_id)
        return notes.add(session, video, _written(video, new.model_dump()))


def edit(video_id: str, note_id: str, wanted: NewNote | NoteChange) -> Note:
    """Change what is given of a note. Raises as add() does."""
    with service().database.write() as session:
        video = videos.get(session, video_id)
        note = notes.find(session, video, note_id)
        present = {"start_s": note.start_s, "end_s": note.end_s, "text": note.text}
        return notes.change(note, _written(video, present | wanted.model_dump(exclude_unset=True)))


def remove(video_id: str, note_id: str) -> None:
    """Delete a note."""
    with service().database.write() as session:
        notes.remove(session, notes.find(session, videos.get(session, video_id), note_id))


def _described(video_id: str, note: Note) -> NoteBody:
    return NoteBody.of(note, links=SelfLink(self=url_for("notes.change", video_id=video_id, note_id=note.id)))


def _written(video: Video, fields: dict[str, Any]) -> Written:
    """A note whose times lie in the recording.

    Raises:
        Problem: 400, they don't.
    """
    written = Written(**fields)
    duration_s = float(video.info["duration_s"])
    for name, time_s in (("start", written.start_s), ("end", written.end_s or 0)):
        if time_s > duration_s + _SLACK_S:
            whole = f"from 0 to {math.floor(duration_s * 1000) / 1000:.10g} seconds"
            sentence = f"The {name} was expected to lie in the recording, {whole}, but is {time_s:g}."
            raise Problem(400, "bad_time", sentence)
    if written.end_s is not None and written.end_s <= written.start_s:
        found = f"The end ({exact(written.end_s)}) must come after the start ({exact(written.start_s)})"
        raise Problem(400, "bad_range", f"{found}; a moment has none.")
    return written
