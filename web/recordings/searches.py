"""What a reader asks of the list, as it stands in an address: strictly for programs, forgivingly for people."""

import unicodedata
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema
from werkzeug.datastructures import MultiDict

from emotion_timeline.db.tables import VideoStatus
from emotion_timeline.views.listing import Search, Sort
from web.http.parameters import Paging

_LONGEST_NAME = 255
_PAGE_DIGITS = 7

_Choice = TypeVar("_Choice", bound=StrEnum)


def _searchable(name: str) -> str:
    if not _is_searchable(name):
        raise ValueError("not printable")
    return name


class SearchQuery(Paging):
    """The search of an API request."""

    q: Annotated[str, AfterValidator(_searchable)] = Field(
        "",
        title=f"part of a name, up to {_LONGEST_NAME} printable characters",
        max_length=_LONGEST_NAME,
        description="Part of a name.",
    )
    status: VideoStatus | SkipJsonSchema[None] = Field(None, description="Only videos in this state.")
    sort: Sort = Field(Sort.NEWEST, description="Their order.")

    @property
    def search(self) -> Search:
        """Which videos are searched for."""
        return Search(self.q, self.status, self.sort)


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
