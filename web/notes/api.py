"""A person's own notes on a recording, by any video of it: the API, and the same by forms without JavaScript."""

import math
import re
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from emotion_timeline.db import notes, videos
from emotion_timeline.db.notes import LONGEST, Written
from emotion_timeline.db.tables import Note, Video
from web.faces.schemas import NewNote, NoteBody, NoteChange, NotesPage
from web.http import bodies
from web.http.answers import gone, made
from web.http.formatting import exact
from web.http.openapi import Answer, describes
from web.http.problems import Problem
from web.http.service import service
from web.http.times import instant

blueprint = Blueprint("notes", __name__)

_FIELDS = ("start_s", "end_s", "text")
_SLACK_S = 0.0005  # notes are kept to the millisecond, so the end of a recording may be rounded up
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,2}):)?(\d{1,8}(?:[.,]\d{1,6})?)", re.ASCII)
_UNREADABLE = re.compile(r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")  # control characters, halves of a character


@blueprint.get("/api/v1/videos/<video_id>/notes")
@describes("notes", {200: Answer("All of them", NotesPage)})
def index(video_id: str) -> dict[str, Any]:
    """All notes on a video's recording, in order of time: the same for all its analyses."""
    return {"notes": described(video_id)}


@blueprint.post("/api/v1/videos/<video_id>/notes")
@describes(
    "notes",
    {201: Answer("The note was written", NoteBody, headers={"Location": "its address"})},
    (400, 409, 413),
    body=NewNote,
)
def create(video_id: str) -> Response:
    """Write a note: 201."""
    return made(_describe(video_id, _add(video_id, _body())))


@blueprint.patch("/api/v1/videos/<video_id>/notes/<note_id>")
@describes("notes", {200: Answer("The changed note", NoteBody)}, (400, 413), body=NoteChange)
def change(video_id: str, note_id: str) -> dict[str, Any]:
    """Change what is given of a note."""
    return _describe(video_id, _change(video_id, note_id, _body()))


@blueprint.delete("/api/v1/videos/<video_id>/notes/<note_id>")
@describes("notes", {204: Answer("The note was deleted")})
def delete(video_id: str, note_id: str) -> Response:
    """Delete a note: 204."""
    _remove(video_id, note_id)
    return gone()


@blueprint.get("/videos/<video_id>/notes")
def listing(video_id: str) -> str:
    """The list alone, for a page that keeps itself up to date."""
    return render_template("notes/_notes_list.html", notes=described(video_id), video_id=video_id)


@blueprint.post("/videos/<video_id>/notes")
def create_by_form(video_id: str) -> WerkzeugResponse:
    """Write a note, and show the video."""
    _add(video_id, _form())
    return _shown(video_id)


@blueprint.post("/videos/<video_id>/notes/<note_id>")
def change_by_form(video_id: str, note_id: str) -> WerkzeugResponse:
    """Change a note, and show the video."""
    _change(video_id, note_id, _form())
    return _shown(video_id)


@blueprint.post("/videos/<video_id>/notes/<note_id>/delete")
def delete_by_form(video_id: str, note_id: str) -> WerkzeugResponse:
    """Delete a note, and show the video."""
    _remove(video_id, note_id)
    return _shown(video_id)


def described(video_id: str) -> list[dict[str, Any]]:
    """All notes on a video's recording as the API shows them, in order of time.

    Raises:
        NotFound: no such video.
    """
    with service().database.read() as session:
        return [_describe(video_id, note) for note in notes.listed(session, videos.get(session, video_id))]


def _add(video_id: str, fields: dict[str, Any]) -> Note:
    with service().database.write() as session:
        video = videos.get(session, video_id)
        return notes.add(session, video, _written(video, {"end_s": None} | fields))


def _change(video_id: str, note_id: str, fields: dict[str, Any]) -> Note:
    with service().database.write() as session:
        video = videos.get(session, video_id)
        note = notes.find(session, video, note_id)
        present = {"start_s": note.start_s, "end_s": note.end_s, "text": note.text}
        return notes.change(note, _written(video, present | fields))


def _remove(video_id: str, note_id: str) -> None:
    with service().database.write() as session:
        notes.remove(session, notes.find(session, videos.get(session, video_id), note_id))


def _shown(video_id: str) -> WerkzeugResponse:
    return redirect(url_for("pages.video", video_id=video_id, _anchor="notes"), 303)


def _describe(video_id: str, note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "start_s": note.start_s,
        "end_s": note.end_s,
        "text": note.text,
        "created_at": instant(note.created_at),
        "updated_at": instant(note.updated_at),
        "links": {"self": url_for("notes.change", video_id=video_id, note_id=note.id)},
    }


def _body() -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        Problem: 400, it is none, or has a field that a note doesn't have.
    """
    body = bodies.anything()
    if not isinstance(body, dict):
        expected = "A JSON object with `start_s`, `text` and perhaps `end_s` was expected, sent as application/json."
        raise Problem(400, "bad_note", expected)
    for name in body:
        if name not in _FIELDS:
            raise Problem(400, "bad_note", f"A note has `start_s`, `end_s` and `text`, but no {name[:40]!r}.")
    return body


def _form() -> dict[str, Any]:
    """The same from a form, whose times are as a person types them."""
    form = request.form
    end = form.get("end", "").strip()
    return {
        "start_s": _typed(form.get("start", ""), "start"),
        "end_s": _typed(end, "end") if end else None,
        "text": form.get("text", ""),
    }


def _typed(text: str, name: str) -> float:
    """Seconds from `m:ss`, `h:mm:ss` or plain seconds."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        sentence = f"The {name} was expected as minutes and seconds (2:05) or as seconds (125), but is {text[:40]!r}."
        raise Problem(400, "bad_time", sentence)
    hours, minutes, seconds = match.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))


def _written(video: Video, fields: dict[str, Any]) -> Written:
    """What a person wrote, checked against the recording.

    Raises:
        Problem: 400, a time is none or lies outside of the recording, or the text is missing or too long.
    """
    duration_s = float(video.info["duration_s"])
    start_s = _time("start", fields.get("start_s"), duration_s)
    end_s = None if fields["end_s"] is None else _time("end", fields["end_s"], duration_s)
    if end_s is not None and end_s <= start_s:
        sentence = f"The end ({exact(end_s)}) must come after the start ({exact(start_s)}); a moment has none."
        raise Problem(400, "bad_range", sentence)
    return Written(start_s, end_s, _text(fields.get("text")))


def _time(name: str, value: Any, duration_s: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= duration_s + _SLACK_S:
        whole = f"from 0 to {math.floor(duration_s * 1000) / 1000:.10g} seconds"
        sentence = f"The {name} was expected to lie in the recording, {whole}, but is {str(value)[:40]}."
        raise Problem(400, "bad_time", sentence)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Problem(400, "bad_text", "`text` was expected to be a text.")
    text = value.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= LONGEST:
        sentence = f"A note has 1 to {LONGEST:,} characters; this one has {len(text):,}."
        raise Problem(400, "bad_text", sentence)
    if _UNREADABLE.search(text):
        raise Problem(400, "bad_text", "The note has characters that can't be shown or stored; leave them out.")
    return text
