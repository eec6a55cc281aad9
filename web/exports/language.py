"""In which language's notation numbers are wanted: the one that is asked for, or the one that a browser prefers."""

from typing import Annotated, Any

from flask import request
from pydantic import BeforeValidator, Field, WithJsonSchema

from emotion_timeline.exports.excel import Notation
from web.http.validation import Texts

_ENGLISH = Notation.of("en")


def _notation(value: Any) -> Any:
    return Notation.of(value) if isinstance(value, str) else value


class Language(Texts):
    """A language."""

    language: (
        Annotated[
            Notation,
            BeforeValidator(_notation),
            WithJsonSchema({"type": "string", "examples": ["en", "de", "fr-CA"]}),
        ]
        | None
    ) = Field(
        None,
        title="the tag of a language, such as en, de or fr-CA",
        description="Whose notation of numbers is wanted, by BCP 47; by default, Accept-Language says it.",
    )


def preferred_notation() -> Notation:
    """That of the request's Accept-Language; English where it names no language that is known."""
    for language, _ in request.accept_languages:
        try:
            return Notation.of(language)
        except ValueError:
            continue
    return _ENGLISH
