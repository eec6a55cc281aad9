"""What no client means, met before any view: texts that no database keeps, dates beyond the calendar, broken bodies."""

from typing import IO

from flask import Flask, Request, Response, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import DataError
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_date

from web.http.problems import answer

_DATES = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE")


def register(app: Flask) -> None:
    """Check every request of the application, and answer what only the database finds to be impossible."""
    app.before_request(lambda: _check_address(request))
    app.before_request(lambda: _forget_impossible_dates(request))
    app.register_error_handler(DataError, lambda error: _not_kept(app, error))


class Body:
    """A request's body as the server hands it out; broken chunks look like a connection that broke.

    Gunicorn's own errors for them are neither OSError nor ValueError, which is all that Werkzeug expects of a body.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes; all without a size.

        Raises:
            OSError: the connection broke, or what came is no body.
        """
        try:
            return self._stream.read(size) if size >= 0 else self._stream.read()
        except ParseException as exc:
            raise ConnectionError("the body is not well-formed") from exc


def _check_address(asked: Request) -> None:
    """PostgreSQL keeps no text with a NUL, so nothing has such an id; a query is validated by those who read it.

    Raises:
        NotFound: the path has one.
    """
    if "\0" in asked.path:
        raise NotFound


def _forget_impossible_dates(asked: Request) -> None:
    """A date that is none is to be ignored (RFC 9110, section 13.1.3); Werkzeug fails at one beyond the calendar."""
    for name in _DATES:
        try:
            parse_date(asked.environ.get(name))
        except OverflowError:
            del asked.environ[name]


def _not_kept(app: Flask, error: DataError) -> Response:
    app.logger.warning("The database refused a value at %s %s.", request.method, request.path, exc_info=error)
    return answer(400, "bad_value", "What was sent has a text or a number that can't be kept. Correct it.")
