"""Errors as people and programs see them: problem+json (RFC 9457) under /api, a page elsewhere.

Every answer carries one plain sentence and, in JSON, a stable `code`. What nobody foresaw is logged with its traceback
and answered without a word about the inside.
"""

import json
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, render_template, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from emotion_timeline.errors import Conflict, KeyReused, ModelError, NotFound

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address exists, but not for this kind of request.",
    413: "The request is larger than is allowed here.",
}
_PHRASES = {460: "Checksum Mismatch"}  # of the tus protocol
_UNFORESEEN = "Something went wrong on the server. It has been logged; try again, and tell the operator if it stays so."
_NO_NETWORK = (
    "The network that analyses recordings can't be read on the server at the moment. Tell the operator, who finds the "
    "reason in the log, and try again then."
)
_BUSY = "The database can't answer at the moment. Try again in some seconds."


class Problem(Exception):
    """A request that is refused, with what to tell the person.

    Args:
        status: HTTP status, 4xx or 5xx.
        code: short, stable, snake_case name, for programs.
        sentence: what was expected, what was found, what to do.
    """

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(status, code, sentence)
        self.status, self.code, self.sentence = status, code, sentence

    def __str__(self) -> str:
        return self.sentence


def register(app: Flask) -> None:
    """Let the application answer its errors this way."""
    app.register_error_handler(Problem, lambda e: answer(e.status, e.code, e.sentence))
    app.register_error_handler(NotFound, lambda e: answer(404, "not_found", str(e)))
    app.register_error_handler(Conflict, lambda e: answer(409, "conflict", str(e)))
    app.register_error_handler(KeyReused, lambda e: answer(422, "key_reused", str(e)))
    app.register_error_handler(ModelError, lambda e: _no_network(app, e))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, lambda e: _busy(app, e))
    app.register_error_handler(PoolTimeout, lambda e: _busy(app, e))
    app.register_error_handler(Exception, lambda e: _unforeseen(app, e))


def answer(status: int, code: str, sentence: str) -> Response:
    """An error in the form that suits the address: JSON for the API, a page for people."""
    title = phrase(status)
    if not request.path.startswith("/api/"):
        return Response(render_template("http/error.html", title=title, sentence=sentence), status)
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
    return Response(json.dumps(problem | {"code": code}), f"{status} {title}", content_type="application/problem+json")


def phrase(status: int) -> str:
    """What an HTTP status is called."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def _http(error: HTTPException) -> Response | WerkzeugResponse:
    """What Flask and Werkzeug raise themselves: no such route, wrong method, a form too large, a redirect."""
    status = error.code or 500
    if status < 400:
        return error.get_response()
    sentence = _SENTENCES.get(status) or error.description or HTTPStatus(status).phrase
    response = answer(status, HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_"), sentence)
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value  # Allow, Retry-After
    return response


def _busy(app: Flask, error: Exception) -> Response:
    app.logger.error("The database did not answer %s %s.", request.method, request.path, exc_info=error)
    response = answer(503, "database_unavailable", _BUSY)
    response.headers["Retry-After"] = "5"
    return response


def _no_network(app: Flask, error: ModelError) -> Response:
    app.logger.error("The network can't be read at %s %s: %s", request.method, request.path, error)
    return answer(503, "network_unavailable", _NO_NETWORK)


def _unforeseen(app: Flask, error: Exception) -> Response:
    app.logger.error("Unforeseen error at %s %s.", request.method, request.path, exc_info=error)
    return answer(500, "internal_error", _UNFORESEEN)
