"""Plotly's script as the installed package ships it: the service runs without internet, and nothing is copied."""

import gzip
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, request, url_for

blueprint = Blueprint("assets", __name__)

_YEAR_S = 365 * 24 * 3600


@blueprint.get("/assets/plotly-<installed>.min.js")
def plotly(installed: str) -> Response:
    """The script; its address has the version, so browsers may keep it for good."""
    packed = request.accept_encodings["gzip"] > 0
    script = _packed_script() if packed else _script()
    response = Response(script, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
    response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def plotly_url() -> str:
    """Address of the script of the installed version."""
    return url_for("assets.plotly", installed=version("plotly"))


def _script() -> bytes:
    spec = find_spec("plotly")  # finds the package's folder without importing it
    assert spec is not None and spec.origin is not None
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes()


@lru_cache(maxsize=1)
def _packed_script() -> bytes:
    return gzip.compress(_script(), 6, mtime=0)
