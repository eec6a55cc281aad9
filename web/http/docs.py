"""The API's description as a file and as pages to try it on, with Swagger UI from its installed package."""

import gzip
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request

from web.http.openapi import PREFIX, document
from web.http.operations import operation
from web.http.service import service

blueprint = Blueprint("docs", __name__)

_PACKAGE = "flask_openapi_swagger"
_FILES = {
    "swagger-ui.css": ("css/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("js/swagger-ui-bundle.js", "text/javascript"),
}
_YEAR_S = 365 * 24 * 3600


@blueprint.get(f"{PREFIX}/openapi.json")
@operation("description", {200: "OpenAPI 3.1"}, media_type="application/json")
def openapi() -> Response:
    """This description."""
    return jsonify(document(current_app, service().version))


@blueprint.get(f"{PREFIX}/docs")
@operation("description", {200: "A page"}, media_type="text/html")
def docs() -> Response:
    """This description as a page, on which every request can be tried."""
    return Response(render_template("http/docs.html", installed=version(_PACKAGE.replace("_", "-"))))


@blueprint.get("/assets/swagger-<installed>/<name>")
def swagger(installed: str, name: str) -> Response:
    """A file of Swagger UI; its address has the version, so browsers may keep it for good."""
    if name not in _FILES:
        abort(404)
    packed = request.accept_encodings["gzip"] > 0
    response = Response(_file(name, packed), content_type=f"{_FILES[name][1]}; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
    response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


@lru_cache(maxsize=2 * len(_FILES))
def _file(name: str, packed: bool) -> bytes:
    spec = find_spec(_PACKAGE)  # finds the package's folder without importing it
    assert spec is not None and spec.origin is not None
    content = (Path(spec.origin).parent / "templates" / "swagger" / _FILES[name][0]).read_bytes()
    return gzip.compress(content, 6, mtime=0) if packed else content
