"""What a reader asks of the list, as it stands in an address: strictly for programs, forgivingly for people."""

import unicodedata
from enum import StrEnum
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from emotion_timeline.db.tables import VideoStatus
from emotion_timeline.views.listing import Search, Sort
from web.http.openapi import Parameter
from web.http.problems import Problem

_LONGEST_NAME = 255
_PAGE_DIGITS = 7
PARAMETERS = (
    Parameter("q", "Part of a name.", {"type": "string", "maxLength": _LONGEST_NAME}),
    Parameter("status", "Only videos in this state.", {"enum": [status.value for status in VideoStatus]}),
    Parameter("sort", "Their order.", {"enum": [sort.value for sort in Sort], "default": Sort.NEWEST.value}),
)
"""What strict() reads, as the API's description tells it."""

_Choice = TypeVar("_Choice", bound=StrEnum)


def strict(arguments: MultiDict[str, str]) -> Search:
    """The search of an API request: `q`, `status`, `sort`.

    Raises:
        Problem: 400, one of them can't be used.
    """
    name = arguments.get("q", "")
    if not _is_searchable(name):
        sentence = f"`q` was expected to be part of a name, up to {_LONGEST_NAME} printable characters."
        raise Problem(400, "bad_q", sentence)
    status, sort = arguments.get("status"), arguments.get("sort", Sort.NEWEST)
    return Search(name, None if status is None else _choice("status", VideoStatus, status), _choice("sort", Sort, sort))


def _choice(name: str, kind: type[_Choice], text: str) -> _Choice:
    found = _member(kind, text)
    if found is None:
        expected = ", ".join(kind)
        raise Problem(400, f"bad_{name}", f"`{name}` was expected to be one of {expected}, but is {text[:40]!r}.")
    return found


def lenient(arguments: MultiDict[str, str]) -> tuple[Search, int]:
    """The search and the page of a page's address: `q`, `state`, `sort`, `page`; what can't be used is passed over."""
    name = arguments.get("q", "").strip()
    status, sort = _member(VideoStatus, arguments.get("state", "")), _member(Sort, arguments.get("sort", ""))
    return Search(name if _is_searchable(name) else "", status, sort or Sort.NEWEST), _page(arguments.get("page", ""))


def address(search: Search, page: int = 1) -> dict[str, Any]:
    """The same as lenient() reads, for url_for(), which leaves out what is None."""
    return {
        "q": search.name or None,
        "state": search.status,
        "sort": None if search.sort is Sort.NEWEST else search.sort,
        "page": None if page == 1 else page,
    }


def _is_searchable(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and not any(unicodedata.category(c) in ("Cc", "Cs") for c in name)


def _member(kind: type[_Choice], text: str) -> _Choice | None:
    return kind(text) if text in set(kind) else None


def _page(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) <= _PAGE_DIGITS else 1
