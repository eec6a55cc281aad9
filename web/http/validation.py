"""What a request brings, read into pydantic models; what doesn't fit is refused with one plain sentence for each fault.

A field is declared once: the same constraints validate a query, a form and JSON, stand in the API's description, and
make the words of a refusal. Texts (query, headers, forms) may stand for numbers; in JSON a number is a number.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from web.http.problems import Problem

_NUMBER = re.compile(r"\s*(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_WHOLE_NUMBER = re.compile(r"[0-9]+")


class Given(BaseModel):
    """What a request brings.

    Attributes:
        codes: a problem's code by the field that is at fault, where it isn't `bad_<field>`; by "" where what came is no
            object at all, and by "*" where it has a field that isn't known.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)
    codes: ClassVar[Mapping[str, str]] = {}


class JsonBody(Given):
    """What a request brings as JSON.

    Attributes:
        other_types: whether a body of another media type is told apart from JSON that doesn't fit, by 415.
    """

    model_config = ConfigDict(strict=True)
    other_types: ClassVar[bool] = False


class Texts(Given):
    """What a request brings in its query or headers; what isn't known there is passed over."""

    model_config = ConfigDict(extra="ignore")


def _written_as(pattern: re.Pattern[str]) -> BeforeValidator:
    """Refuse texts that Python would read as numbers and people wouldn't: 1_000, and digits of other scripts."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not pattern.fullmatch(value):
            return math.nan  # which no field takes
        return value

    return BeforeValidator(check)


number_as_written, whole_as_written = _written_as(_NUMBER), _written_as(_WHOLE_NUMBER)
WholeNumber = Annotated[int, whole_as_written]
Seconds = Annotated[float, Field(ge=0), number_as_written]
"""A time from a recording's first frame."""

Flag = Annotated[
    bool,
    BeforeValidator(lambda value: {"0": False, "1": True}.get(value)),
    WithJsonSchema({"type": "string", "enum": ["0", "1"], "default": "0"}),
]
"""0 or 1 in a query."""

_Given = TypeVar("_Given", bound=Given)


def validated(model: type[_Given], values: Any, *, strict: bool | None = None) -> _Given:
    """What a request brings, as a model.

    A validator may raise a Problem of its own. A field whose schema doesn't tell people what is expected has a title
    that does.

    Args:
        model: the model.
        values: by field.
        strict: whether texts can't stand for numbers; None for what the model says.

    Raises:
        Problem: 400, with a sentence for each field that doesn't fit, and the code of the first.
    """
    try:
        return model.model_validate(values, strict=strict)
    except ValidationError as exc:
        faults: dict[str, ErrorDetails] = {}
        for error in exc.errors(include_url=False):
            faults.setdefault(str(error["loc"][0]) if error["loc"] else "", error)
        sentences = [_sentence(model, name, error, values) for name, error in faults.items()]
        raise Problem(400, _code(model, *next(iter(faults.items()))), " ".join(sentences)) from exc


def _code(model: type[Given], name: str, error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return model.codes.get("*", "unknown_field")
    return model.codes.get(name) or (f"bad_{name.lower().replace('-', '_')}" if name else "bad_body")


def _sentence(model: type[Given], name: str, error: ErrorDetails, values: Any) -> str:
    known = ", ".join(f"`{field.alias or name}`" for name, field in model.model_fields.items())
    if not name:
        return f"A JSON object with any of {known} was expected, sent as application/json."
    if error["type"] == "extra_forbidden":
        return f"There is no {name[:40]!r} here; known are {known}."
    if error["type"] == "missing":
        return f"`{name}` was expected to be {_expected(model, name)}, but is missing."
    found = values[name] if isinstance(values, Mapping) else error["input"]
    return f"`{name}` was expected to be {_expected(model, name)}, but is {_shown(found)}."


def _shown(value: Any) -> str:
    """What came, if it is short enough to be told."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return json.dumps(value) if value is None or isinstance(value, bool) else f"{value!r:.40}"


def _expected(model: type[Given], name: str) -> str:
    """What a field may be: its title, or the words of its own schema."""
    titles = {field.alias or name: field.title for name, field in model.model_fields.items()}
    schema = model.model_json_schema()
    return titles[name] or _words(schema["properties"][name], schema.get("$defs", {}))


def _words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": reference}:
            return _words(definitions[reference.rpartition("/")[2]], definitions)
        case {"anyOf": choices}:
            return " or ".join(_words(choice, definitions) for choice in choices)
        case {"enum": [first, second]}:
            return f"{first} or {second}"
        case {"enum": values}:
            return f"one of {', '.join(map(str, values))}"
        case {"const": value}:
            return f'"{value}"'
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "integer" | "number" as kind}:
            return ("a whole number " if kind == "integer" else "a number ") + _bounds(schema)
        case {"type": "string", "maxLength": longest}:
            return f"text of up to {longest:,} characters"
    return {"null": "null", "array": "a list"}.get(schema["type"], "text")


def _bounds(schema: Mapping[str, Any]) -> str:
    lowest, above, highest = (schema.get(name) for name in ("minimum", "exclusiveMinimum", "maximum"))
    start = f"above {above}" if above is not None else f"from {lowest}"
    if highest is None:
        return start if above is not None else f"{start} on"
    return f"{start} up to {highest}" if above is not None else f"{start} to {highest}"
