"""The list of videos: searched, filtered, sorted and paged in the database, each order by an index of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from emotion_timeline.db.names import folded
from emotion_timeline.db.tables import Video, VideoStatus


class Sort(StrEnum):
    """Orders of the list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"  # numbers in it by their size
    LENGTH = "length"  # longest first
    STATE = "state"  # running, queued, failed, done, cancelled, and the newest of each first


@dataclass(frozen=True)
class Search:
    """Which videos, and in which order.

    Attributes:
        name: part of the recording's name, in any case; empty for all.
        status: None for all.
        sort: the order; ties by id, so that pages never overlap.
    """

    name: str = ""
    status: VideoStatus | None = None
    sort: Sort = Sort.NEWEST

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves videos out."""
        return bool(self.name) or self.status is not None


_ORDERS = {
    Sort.NEWEST: (Video.created_at.desc(), Video.id),
    Sort.OLDEST: (Video.created_at, Video.id),
    Sort.NAME: (Video.sort_key, Video.id),
    Sort.LENGTH: (Video.duration_s.desc(), Video.id),
    # From z to a the states happen to stand in the order in which they matter, which an index gives for nothing.
    Sort.STATE: (Video.status.desc(), Video.created_at.desc(), Video.id),
}


def page(
    session: Session, search: Search | None = None, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Video], int]:
    """Some of the videos that are searched for, and how many there are in all.

    Args:
        session: an open session.
        search: None for all, newest first.
        limit: most videos to give.
        offset: how many to pass over first.
    """
    search = search or Search()
    ordered = _matching(select(Video), search).order_by(*_ORDERS[search.sort])
    total = session.scalar(_matching(select(func.count()).select_from(Video), search)) or 0
    return session.scalars(ordered.limit(limit).offset(offset)).all(), total


def _matching(query: Select[Any], search: Search) -> Select[Any]:
    if search.name:
        query = query.where(Video.name_key.contains(folded(search.name), autoescape=True))
    return query if search.status is None else query.where(Video.status == search.status)
