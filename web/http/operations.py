"""Routes of the HTTP API, declared once: `@operation` reads what a view takes, sends what it gives, and documents both.

A view's annotations are the declaration. Its parameters `query`, `headers` and `body` are models of
web.http.validation, and what it returns is a model of web.http.schemas; what is no JSON (files, streams) is a response
and says its media type.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, get_args

from flask import Response, request
from pydantic import BaseModel
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as WerkzeugResponse

from web.http.problems import Problem
from web.http.validation import Given, JsonBody, validated

_KEY = "_operation"
_Given = TypeVar("_Given", bound=Given)
_Json = TypeVar("_Json", bound=JsonBody)


@dataclass(frozen=True)
class Operation:
    """What a view takes and answers.

    Attributes:
        tag: the group that it is listed in.
        answers: below 400, by status: when that comes, or what it is.
        problems: further statuses, answered as problem+json; those that follow from the rest come by themselves.
        takes: models by the name of the view's parameter: query, headers, body; and form, which the view reads itself.
        model: of a JSON answer.
        media_type: of another answer.
        is_file: whether the answer is sent from the disk, whole, in ranges, or not when the client has it.
        needs_body: whether a JSON body, where one is taken, must be there; else the view's parameter has a default.
        headers: names of headers that come with the answer, and what they say.
        content: media types of a request's body that no model describes, with their schemas, as OpenAPI has them.
    """

    tag: str
    answers: Mapping[int, str]
    problems: Sequence[int]
    takes: Mapping[str, type[Given]]
    model: type[BaseModel] | None
    media_type: str | None
    is_file: bool
    needs_body: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What a view was declared to be."""
    found: Operation | None = getattr(view, _KEY, None)
    return found


def operation(
    tag: str,
    answers: Mapping[int, str] | None = None,
    problems: Sequence[int] = (),
    *,
    media_type: str | None = None,
    is_file: bool = False,
    headers: Mapping[str, str] | None = None,
    content: dict[str, Any] | None = None,
    reads: Mapping[str, type[Given]] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., WerkzeugResponse]]:
    """Declare a view; to be put nearest to it, below its route.

    See Operation for the arguments; `reads` is like its `takes`, of what the view reads by itself. The view returns a
    model, or a model, a status and perhaps headers; None for 204; or a response as it is. Without `answers`, the only
    one is described by its model. A header `Location` that is announced brings the address of what was made, which is
    its link `self`.
    """

    def declare(view: Callable[..., Any]) -> Callable[..., WerkzeugResponse]:
        signature = inspect.signature(view)
        parameters = {name: p for name, p in signature.parameters.items() if name in _READERS}
        takes = {name: _model(p.annotation) for name, p in parameters.items()}
        optional = {name for name, p in parameters.items() if p.default is not p.empty}
        model = _model(signature.return_annotation)
        said = answers or _default_answers(model, media_type)
        described = takes | dict(reads or {})
        needs_body = "body" not in optional
        declared = Operation(
            tag, said, problems, described, model, media_type, is_file, needs_body, headers or {}, content or {}
        )

        @wraps(view)
        def answered(**path: Any) -> WerkzeugResponse:
            there = takes if request.content_length else {name: takes[name] for name in takes.keys() - optional}
            given = {name: _READERS[name](model) for name, model in there.items()}
            return _response(view(**path, **given), declared)

        setattr(answered, _KEY, declared)
        return answered

    return declare


def _model(annotation: Any) -> Any:
    """The model in an annotation: alone, the first of a tuple, or with None beside it; None where there is none."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _default_answers(model: type[BaseModel] | None, media_type: str | None) -> dict[int, str]:
    if model is None and media_type is None:
        return {204: "Done"}
    return {200: (inspect.getdoc(model) or "").partition("\n")[0].rstrip(".") if model else "The file"}


def _query(model: type[_Given]) -> _Given:
    """The request's query; a field that is a list takes all values of its name."""
    lists = {name for name, field in model.model_fields.items() if "list" in str(field.annotation)}
    return validated(model, {n: request.args.getlist(n) if n in lists else request.args[n] for n in request.args})


def read_headers(model: type[_Given]) -> _Given:
    """The headers of the present request. Raises Problem when they don't fit."""
    names = (field.alias or name for name, field in model.model_fields.items())
    return validated(model, {name: request.headers[name] for name in names if name in request.headers})


def read_json(model: type[_Json]) -> _Json:
    """The body of the present request.

    Raises:
        Problem: it isn't JSON, or doesn't fit the model.
    """
    if model.other_types and not request.is_json:
        raise Problem(415, "not_json", "A body of the type application/json was expected.")
    try:
        return validated(model, request.get_json(silent=not model.other_types))
    except (BadRequest, RecursionError) as exc:  # thousands of brackets in one another
        if model.other_types:
            raise Problem(400, "bad_json", "The body was expected to be JSON, but can't be read as such.") from exc
        return validated(model, None)


_READERS: Mapping[str, Callable[[Any], Given]] = {"query": _query, "headers": read_headers, "body": read_json}


def _response(given: Any, declared: Operation) -> WerkzeugResponse:
    if isinstance(given, WerkzeugResponse):
        return given
    if given is None:
        return empty(204)
    body, status, headers = (*(given if isinstance(given, tuple) else (given,)), None, None)[:3]
    assert isinstance(body, BaseModel)
    text = body.model_dump_json(exclude_unset=True)
    response = Response(text, status or next(iter(declared.answers)), headers, content_type="application/json")
    if "Location" in declared.headers:
        response.headers["Location"] = body.links.self  # type: ignore[attr-defined]
    return response


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A response without a body, which therefore has no media type."""
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response
