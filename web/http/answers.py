"""Answers that are the same for every resource that is made or deleted."""

from typing import Any

from flask import Response, jsonify


def made(body: dict[str, Any]) -> Response:
    """201 with what was made, and its address, which is its link `self`."""
    response = jsonify(body)
    response.status_code, response.headers["Location"] = 201, body["links"]["self"]
    return response


def gone() -> Response:
    """204; without a body there is no type of one."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response
