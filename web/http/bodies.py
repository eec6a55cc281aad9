"""JSON that a request brings, read into a model; what doesn't fit is told in one sentence."""

from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest

from web.http.problems import Problem

_Body = TypeVar("_Body", bound=BaseModel)


def read(model: type[_Body]) -> _Body:
    """The body of the present request.

    Raises:
        Problem: 415 when it isn't JSON by its content type; 400 when it isn't JSON, or doesn't fit the model.
    """
    if not request.is_json:
        raise Problem(415, "not_json", "A body of the type application/json was expected.")
    try:
        return model.model_validate(request.get_json())
    except ValidationError as exc:
        raise Problem(400, "bad_body", f"The body doesn't fit: {'; '.join(map(_fault, exc.errors()))}.") from exc
    except (BadRequest, RecursionError) as exc:
        raise Problem(400, "bad_json", "The body was expected to be JSON, but can't be read as such.") from exc


def anything() -> Any:
    """The body of the present request as JSON; None when it is none, or isn't sent as such."""
    try:
        return request.get_json(silent=True)
    except RecursionError:  # thousands of brackets in one another
        return None


def _fault(error: object) -> str:
    assert isinstance(error, dict)
    place = ".".join(map(str, error["loc"])) or "the whole"
    message = str(error["msg"])
    return f"`{place}`: {message[0].lower()}{message[1:]}"
