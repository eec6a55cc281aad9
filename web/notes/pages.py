"""Notes on the page of a video: the list alone, and forms that work without JavaScript."""

import re

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.http.problems import Problem
from web.http.validation import validated
from web.notes import api as notes_api
from web.notes.schemas import NewNote

blueprint = Blueprint("notes_pages", __name__, url_prefix="/videos/<video_id>/notes")

_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,2}):)?(\d{1,8}(?:[.,]\d{1,6})?)", re.ASCII)


@blueprint.get("")
def listing(video_id: str) -> str:
    """The list alone, for a page that keeps itself up to date."""
    return render_template("notes/_notes_list.html", notes=notes_api.find(video_id), video_id=video_id)


@blueprint.post("")
def create(video_id: str) -> Response:
    """Write a note, and show the video."""
    notes_api.add(video_id, _form())
    return _shown(video_id)


@blueprint.post("/<note_id>")
def change(video_id: str, note_id: str) -> Response:
    """Change a note, and show the video."""
    notes_api.edit(video_id, note_id, _form())
    return _shown(video_id)


@blueprint.post("/<note_id>/delete")
def delete(video_id: str, note_id: str) -> Response:
    """Delete a note, and show the video."""
    notes_api.remove(video_id, note_id)
    return _shown(video_id)


def _shown(video_id: str) -> Response:
    return redirect(url_for("pages.video", video_id=video_id, _anchor="notes"), 303)


def _form() -> NewNote:
    """The note in the form, whose times are as a person types them."""
    end = request.form.get("end", "").strip()
    fields = {
        "start_s": _typed(request.form.get("start", ""), "start"),
        "end_s": _typed(end, "end") if end else None,
        "text": request.form.get("text", ""),
    }
    return validated(NewNote, fields)


def _typed(text: str, name: str) -> float:
    """Seconds from `m:ss`, `h:mm:ss` or plain seconds."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        sentence = f"The {name} was expected as minutes and seconds (2:05) or as seconds (125), but is {text[:40]!r}."
        raise Problem(400, "bad_time", sentence)
    hours, minutes, seconds = match.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
