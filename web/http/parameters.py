"""What a request's address asks for, checked."""

import re

from flask import request

from web.http.openapi import Parameter
from web.http.problems import Problem

_LARGEST_PAGE = 200
_LARGEST_OFFSET = 2**31 - 1
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # as JSON writes one
PAGING = (
    Parameter("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": _LARGEST_PAGE, "default": 50}),
    Parameter(
        "offset", "How many to leave out.", {"type": "integer", "minimum": 0, "maximum": _LARGEST_OFFSET, "default": 0}
    ),
)
"""What paging() reads, as the API's description tells it."""


def paging() -> tuple[int, int]:
    """The page that is asked for: its limit and offset.

    Raises:
        Problem: 400.
    """
    limit = whole_number("limit", default=50, lowest=1, highest=_LARGEST_PAGE)
    return limit, whole_number("offset", default=0, lowest=0, highest=_LARGEST_OFFSET)


def whole_number(name: str, *, default: int, lowest: int, highest: int) -> int:
    """A whole number from the query, between bounds.

    Raises:
        Problem: 400.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and lowest <= int(text) <= highest):
        found = f"but is {text[:40]!r}"
        raise Problem(400, f"bad_{name}", f"`{name}` was expected to be from {lowest} to {highest}, {found}.")
    return int(text)


def flag(name: str) -> bool:
    """Whether the query says 1; 0, or nothing, is no.

    Raises:
        Problem: 400.
    """
    text = request.args.get(name, "0")
    if text not in ("0", "1"):
        raise Problem(400, f"bad_{name}", f"`{name}` was expected to be 0 or 1, but is {text[:40]!r}.")
    return text == "1"


def seconds(name: str, *, default: float, highest: float) -> float:
    """A time from the query, not negative.

    Raises:
        Problem: 400.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or float(text) > highest:
        expected = f"seconds from 0 to {highest:g}"
        raise Problem(400, f"bad_{name}", f"`{name}` was expected to be {expected}, but is {text[:40]!r}.")
    return float(text)
