"""The HTTP API's description, OpenAPI 3.1, made from the routes themselves.

A view says by `@describes` what it takes and answers; its docstring is the summary. Whoever adds a route without that
finds out at once: building the document fails, and a test holds that the service answers nothing else.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from apispec import APISpec
from flask import Flask
from pydantic import BaseModel
from werkzeug.routing import Rule

from web.http.caching import POLLED
from web.http.problems import phrase

PREFIX = "/api/v1"
_SCHEMAS = "#/components/schemas/{model}"
_KEY = "_operation"
# What any request may be answered with, beside what its view says.
_ALWAYS = (421, 500, 503)
_UNSAFE = {"POST": (403,), "PATCH": (403,), "DELETE": (403,), "PUT": (403,)}
_BLANKS = {"string": "string", "default": "string", "int": "integer", "path": "string"}

_View = TypeVar("_View", bound=Callable[..., Any])


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str


@dataclass(frozen=True)
class Answer:
    """What a view may answer.

    Attributes:
        description: when, or what it is.
        schema: of a JSON answer.
        media_type: of a file; None with a schema, or where there is no body.
        headers: names of headers that come with it, and what they say.
    """

    description: str
    schema: type[BaseModel] | None = None
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_NOT_MODIFIED = Answer("Nothing has changed since")


def file_answers(media_type: str) -> dict[int, Answer]:
    """Of a view that sends a file from the disk, whole or in ranges; see FILE_PARAMETERS and 416."""
    return {
        200: Answer("The whole file", media_type=media_type),
        206: Answer("The range that was asked for", media_type=media_type),
        304: _NOT_MODIFIED,
    }


@dataclass(frozen=True)
class Parameter:
    """What a view takes in its query or headers.

    Attributes:
        name: of the parameter or header.
        description: what it does.
        schema: JSON Schema.
        place: "query" or "header".
        required: whether it must be there.
        methods: where a view answers several; empty for all of them.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    place: str = "query"
    required: bool = False
    methods: Sequence[str] = ()


IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "The same for repetitions of a request: they make nothing more and are answered like the first.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"},
    place="header",
)

_IF_NONE_MATCH = Parameter(
    "If-None-Match", "The ETag of what you have: while it is the same, 304 comes.", {"type": "string"}, place="header"
)
_RANGE = Parameter(
    "Range", "Which bytes to send.", {"type": "string", "pattern": r"^bytes=(\d+-\d*|-\d+)$"}, place="header"
)
FILE_PARAMETERS = (_IF_NONE_MATCH, _RANGE)
"""What a view that sends a file from the disk takes."""


@dataclass(frozen=True)
class _Operation:
    tag: str
    answers: Mapping[int, Answer]
    problems: Sequence[int]
    parameters: Sequence[Parameter]
    body: type[BaseModel] | None
    body_required: bool
    content: Mapping[str, Any] | None
    also: Mapping[str, Mapping[int, Answer]]


def describes(
    tag: str,
    answers: Mapping[int, Answer],
    problems: Sequence[int] = (),
    parameters: Sequence[Parameter] = (),
    body: type[BaseModel] | None = None,
    content: Mapping[str, Any] | None = None,
    also: Mapping[str, Mapping[int, Answer]] | None = None,
    body_required: bool = True,
) -> Callable[[_View], _View]:
    """Describe a view; to be put nearest to it, below its route.

    Args:
        tag: the group that it is listed in.
        answers: by status, below 400.
        problems: further statuses, answered as problem+json; those that any request may meet come by themselves.
        parameters: of query and headers; those of the path come from the route.
        body: model of a JSON body.
        content: media types of another body, with their schemas, as OpenAPI has them.
        also: answers to further methods, such as HEAD, that differ from those above.
        body_required: whether a body must be there, where one is described.
    """

    def mark(view: _View) -> _View:
        setattr(view, _KEY, _Operation(tag, answers, problems, parameters, body, body_required, content, also or {}))
        return view

    return mark


def document(app: Flask, version: str) -> dict[str, Any]:
    """The description of everything that an application answers under /api/v1.

    Raises:
        LookupError: a route there isn't described.
    """
    spec = APISpec(
        title="Emotion Timeline",
        version=version,
        openapi_version="3.1.0",
        info={
            "description": "Upload recordings, follow their analysis, and get timelines of the expressions in them. "
            "Times are seconds from a recording's first frame. Errors are problem details (RFC 9457) with one plain "
            "sentence in `detail` and a stable `code`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        servers=[{"url": "/", "description": "This service"}],
    )
    schemas: dict[str, Any] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.rule.startswith(PREFIX):
            view = app.view_functions[rule.endpoint]
            operations = {
                method.lower(): _operation(rule, method, view, schemas)
                for method in sorted(rule.methods or ())
                if method not in ("HEAD", "OPTIONS") or method in _said_methods(view)
            }
            spec.path(path=re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), operations=operations)
    for name, schema in sorted(schemas.items()):
        spec.components.schema(name, schema)
    return dict(spec.to_dict())


def _said_methods(view: Callable[..., Any]) -> Sequence[str]:
    said: _Operation | None = getattr(view, _KEY, None)
    return () if said is None else tuple(said.also)


def _operation(rule: Rule, method: str, view: Callable[..., Any], schemas: dict[str, Any]) -> dict[str, Any]:
    said: _Operation | None = getattr(view, _KEY, None)
    if said is None:
        raise LookupError(f"{method} {rule.rule} is not described: {view.__module__}.{view.__name__} lacks @describes.")
    summary, _, description = inspect.cleandoc(view.__doc__ or "").partition("\n")
    known, taken = _cached(method, said.also.get(method, said.answers), said.parameters)
    answers = {str(status): _answer(answer, schemas) for status, answer in known.items()}
    missing = (404,) if rule.arguments else ()
    for status in sorted({*said.problems, *missing, *_UNSAFE.get(method, ()), *_ALWAYS}):
        problem = {"application/problem+json": {"schema": _reference(ProblemBody, schemas)}}
        answers[str(status)] = {"description": phrase(status), "content": problem}
    operation: dict[str, Any] = {
        "tags": [said.tag],
        "operationId": rule.endpoint.replace(".", "_") + (f"_{method.lower()}" if method in said.also else ""),
        "summary": summary.rstrip("."),
        "parameters": [
            *_path_parameters(rule),
            *(_parameter(p) for p in taken if not p.methods or method in p.methods),
        ],
        "responses": answers,
    }
    if description.strip():
        operation["description"] = description.strip()
    content = said.content
    if said.body is not None:
        content = {"application/json": {"schema": _reference(said.body, schemas)}}
    if content:
        operation["requestBody"] = {"required": said.body_required, "content": content}
    return operation


def _cached(
    method: str, answers: Mapping[int, Answer], parameters: Sequence[Parameter]
) -> tuple[Mapping[int, Answer], Sequence[Parameter]]:
    """With what web.http.caching adds to them."""
    answer = answers.get(200)
    is_tagged = answer is not None and (answer.schema is not None or answer.media_type in POLLED)
    if method != "GET" or not is_tagged:
        return answers, parameters
    return {**answers, 304: _NOT_MODIFIED}, (*parameters, _IF_NONE_MATCH)


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    kinds = {name: kind for kind, name in re.findall(r"<(?:([^:<>(]+)[^:<>]*:)?([^<>]+)>", rule.rule)}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": _BLANKS[kind or "string"]}}
        for name, kind in kinds.items()
    ]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _answer(answer: Answer, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.schema is not None:
        described["content"] = {"application/json": {"schema": _reference(answer.schema, schemas)}}
    elif answer.media_type:
        described["content"] = {answer.media_type: {"schema": {}}}
    if answer.headers:
        described["headers"] = {
            name: {"description": says, "schema": {"type": "string"}} for name, says in answer.headers.items()
        }
    return described


def _reference(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, str]:
    """Take a model and those in it into the document's schemas."""
    schema = model.model_json_schema(ref_template=_SCHEMAS, mode="serialization" if _is_answer(model) else "validation")
    schemas |= schema.pop("$defs", {})
    schemas[model.__name__] = schema
    return {"$ref": _SCHEMAS.format(model=model.__name__)}


def _is_answer(model: type[BaseModel]) -> bool:
    return model.__name__.endswith(("Body", "Page"))
