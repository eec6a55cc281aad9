"""Entity tags: whoever polls is told "not modified" in a few bytes instead of the same again."""

from flask import Flask, Response, request

POLLED = ("application/json", "text/html")
"""Media types of what is tagged."""


def register(app: Flask) -> None:
    """Tag what the application answers to GET, where it is whole in memory, and answer If-None-Match."""
    app.after_request(_tag)


def _tag(response: Response) -> Response:
    polled = request.method in ("GET", "HEAD") and response.status_code == 200 and response.mimetype in POLLED
    if not polled or response.is_streamed or response.direct_passthrough or response.get_etag()[0]:
        return response
    response.add_etag()
    response.make_conditional(request)
    return response
