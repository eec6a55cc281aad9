"""The HTTP API's description, OpenAPI 3.1, made from the routes themselves: see web.http.operations.

A view's docstring is its summary. Whoever adds a route without `@operation` finds out at once: building the document
fails, and a test holds that the service answers nothing else.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode
from werkzeug.routing import Rule

from web.http.caching import POLLED
from web.http.operations import Operation, operation_of
from web.http.problems import phrase
from web.http.validation import JsonBody

PREFIX = "/api/v1"
_SCHEMAS = "#/components/schemas/{model}"
# What any request may be answered with, beside what its view says.
_ALWAYS = (421, 500, 503)
_UNSAFE = ("POST", "PATCH", "DELETE", "PUT")
_BLANKS = {"string": "string", "default": "string", "int": "integer", "path": "string"}
_INFO = {
    "title": "Emotion Timeline",
    "description": "Upload recordings, follow their analysis, and get timelines of the expressions in them. "
    "Times are seconds from a recording's first frame. Errors are problem details (RFC 9457) with one plain "
    "sentence in `detail` and a stable `code`.",
    "license": {"name": "MIT", "identifier": "MIT"},
}


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str


def _header(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


_IF_NONE_MATCH = _header(
    "If-None-Match", "The ETag of what you have: while it is the same, 304 comes.", {"type": "string"}
)
_RANGE = _header("Range", "Which bytes to send.", {"type": "string", "pattern": r"^bytes=(\d+-\d*|-\d+)$"})


def document(app: Flask, version: str) -> dict[str, Any]:
    """The description of everything that an application answers under /api/v1.

    Raises:
        LookupError: a route there isn't described.
    """
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.rule.startswith(PREFIX):
            path = paths.setdefault(re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), {})
            for method in sorted(_methods(rule)):
                path[method.lower()] = _operation(rule, method, app.view_functions[rule.endpoint], schemas)
    return {
        "openapi": "3.1.0",
        "info": _INFO | {"version": version},
        "servers": [{"url": "/", "description": "This service"}],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _methods(rule: Rule) -> set[str]:
    """Those that were asked for: Flask adds HEAD to every GET, and OPTIONS."""
    methods = rule.methods or set()
    return methods - {"HEAD", "OPTIONS"} or methods


def _operation(rule: Rule, method: str, view: Callable[..., Any], schemas: dict[str, Any]) -> dict[str, Any]:
    said = operation_of(view)
    if said is None:
        raise LookupError(f"{method} {rule.rule} is not described: {view.__module__}.{view.__name__} lacks @operation.")
    summary, _, description = inspect.cleandoc(view.__doc__ or "").partition("\n")
    described: dict[str, Any] = {
        "tags": [said.tag],
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": summary.rstrip("."),
        "parameters": [*_path_parameters(rule), *_parameters(said, method, schemas)],
        "responses": _answers(said, method, schemas) | _problems(said, rule, method, schemas),
    }
    if description.strip():
        described["description"] = description.strip()
    content = said.content | {
        media_type: {"schema": _reference(said.takes[name], "validation", schemas)}
        for name, media_type in (("body", "application/json"), ("form", "multipart/form-data"))
        if name in said.takes
    }
    if content:
        described["requestBody"] = {"required": said.needs_body, "content": content}
    return described


def _is_tagged(said: Operation, method: str) -> bool:
    """Whether web.http.caching gives the answer an entity tag."""
    return method == "GET" and (said.model is not None or said.media_type in POLLED)


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    kinds = {name: kind for kind, name in re.findall(r"<(?:([^:<>(]+)[^:<>]*:)?([^<>]+)>", rule.rule)}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": _BLANKS[kind or "string"]}}
        for name, kind in kinds.items()
    ]


def _parameters(said: Operation, method: str, schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the query and the headers."""
    for taken, place in (("query", "query"), ("headers", "header")):
        if taken in said.takes:
            schema = said.takes[taken].model_json_schema(ref_template=_SCHEMAS)
            schemas |= schema.get("$defs", {})
            required = schema.get("required", ())
            for name, known in schema["properties"].items():
                described = {"name": name, "in": place, "required": name in required}
                told = {key: known.pop(key) for key in ("description",) if key in known}
                yield described | told | {"schema": _plain(known)}
    if said.is_file or _is_tagged(said, method):
        yield _IF_NONE_MATCH
    if said.is_file:
        yield _RANGE


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Without a title, which is for refusals, and without a default that is the same as nothing."""
    return {name: value for name, value in schema.items() if name != "title" and (name != "default" or value)}


def _answers(said: Operation, method: str, schemas: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if said.model is not None:
        answer["content"] = {"application/json": {"schema": _reference(said.model, "serialization", schemas)}}
    elif said.media_type:
        answer["content"] = {said.media_type: {"schema": {}}}
    if said.headers:
        answer["headers"] = {
            name: {"description": words, "schema": {"type": "string"}} for name, words in said.headers.items()
        }
    answers = {str(status): {"description": words} | answer for status, words in said.answers.items()}
    if said.is_file:
        answers["206"] = {"description": "The range that was asked for"} | answer
    if said.is_file or _is_tagged(said, method):
        answers["304"] = {"description": "Unchanged: you have the latest"}
    return answers


def _problems(said: Operation, rule: Rule, method: str, schemas: dict[str, Any]) -> dict[str, Any]:
    statuses = {*said.problems, *_ALWAYS}
    statuses |= {404} if rule.arguments else set()
    statuses |= {403} if method in _UNSAFE else set()
    statuses |= {416} if said.is_file else set()
    statuses |= {400} if said.takes else set()
    if (body := said.takes.get("body")) is not None:
        statuses |= {413, 415} if issubclass(body, JsonBody) and body.other_types else {413}
    content = {"application/problem+json": {"schema": _reference(ProblemBody, "serialization", schemas)}}
    return {str(status): {"description": phrase(status), "content": content} for status in sorted(statuses)}


def _reference(model: type[BaseModel], mode: JsonSchemaMode, schemas: dict[str, Any]) -> dict[str, str]:
    """Take a model and those in it into the document's schemas."""
    schema = model.model_json_schema(ref_template=_SCHEMAS, mode=mode)
    schemas |= schema.pop("$defs", {})
    schemas[model.__name__] = schema
    return {"$ref": _SCHEMAS.format(model=model.__name__)}
