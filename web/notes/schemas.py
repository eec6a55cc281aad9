"""Bodies about notes. Times lie in the recording."""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from emotion_timeline.db.notes import LONGEST
from web.http.problems import Problem
from web.http.schemas import Body, SelfLink
from web.http.validation import JsonBody, Seconds

_UNREADABLE = re.compile(r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")  # control characters, halves of a character


def _readable(value: Any) -> Any:
    """The text as it is kept."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= LONGEST:
        sentence = f"A note has 1 to {LONGEST:,} characters; this one has {len(text):,}."
        raise Problem(400, "bad_text", sentence)
    if _UNREADABLE.search(text):
        raise Problem(400, "bad_text", "The note has characters that can't be shown or stored; leave them out.")
    return text


_End = Annotated[Seconds | None, Field(description="end of a range; null for a moment")]
_Words = Annotated[str, Field(min_length=1, max_length=LONGEST), BeforeValidator(_readable)]


class _Note(JsonBody):
    codes: ClassVar = {"": "bad_note", "*": "bad_note", "start_s": "bad_time", "end_s": "bad_time"}


class NewNote(_Note):
    """A note; times lie in the recording."""

    start_s: Seconds
    end_s: _End = None
    text: _Words


class NoteChange(_Note):
    """What is to be changed of a note; what isn't named stays."""

    start_s: Seconds = 0
    end_s: _End = None
    text: _Words = ""


class NoteBody(Body):
    """A person's own words at a moment of a recording, or over a range of it."""

    id: str
    start_s: float
    end_s: float | None
    text: str
    created_at: datetime
    updated_at: datetime
    links: SelfLink


class NotesPage(Body):
    """The notes on a recording, in order of time."""

    notes: list[NoteBody]
