"""Whose turn it is: what is due, in the order in which workers take it.

A piece of work's turn comes when its video was uploaded, plus ten times the length of what is left to analyse of it: so
a short clip need not wait for the long recordings that came before it, those that came together are done one after the
other instead of all at the end, and a long one waits for shorter ones for ten times its length at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from emotion_timeline.db import leases, renders, work
from emotion_timeline.db.tables import Render, RenderKind, Segment, Step, Video
from emotion_timeline.db.work import Networks

_PATIENCE = 10  # seconds that a second of recording waits for shorter ones


class Task(Enum):
    """The kinds of work."""

    PLAN = "plan"
    ANALYZE = "analyze"
    FINISH = "finish"
    RENDER = "render"


@dataclass(frozen=True)
class Turn:
    """A piece of work that may be taken.

    Attributes:
        at: when it has its turn; the earliest goes first, however early it is.
        task: what to do.
        id: of the video to plan or to finish, of the segment, or of the render.
    """

    at: datetime
    task: Task
    id: str | int


def due(session: Session, networks: Networks | None = None) -> list[Turn]:
    """What may be taken now, whoever has the earliest turn first: of each video that is analysed, its next segment.

    Args:
        session: an open session.
        networks: leave out the segments for other networks than these; None for all.
    """
    at = leases.clock(session)
    turns = [*_steps(session, at), *_segments(session, at, networks)]
    turns += _renders(session, at, analysis_waits=bool(turns))
    return sorted(turns, key=lambda turn: (turn.at, str(turn.id)))


_LENGTH = (Video.created_at, Video.duration_s, Video.clip_start_s, Video.clip_end_s)


def _turn_at(row: Any, part_left: float) -> datetime:
    """The turn of a video of which this part is still to be done, 0-1."""
    end_s = row.duration_s if row.clip_end_s is None else min(row.clip_end_s, row.duration_s)
    length_s = max(end_s - (row.clip_start_s or 0.0), 0.0)
    at: datetime = row.created_at + timedelta(seconds=_PATIENCE * length_s * part_left)
    return at


def _steps(session: Session, at: datetime) -> Iterator[Turn]:
    for row in session.execute(select(Video.id, Video.step, *_LENGTH).where(leases.is_due(Video, at))):
        is_new = row.step is Step.PLAN
        yield Turn(_turn_at(row, float(is_new)), Task.PLAN if is_new else Task.FINISH, row.id)


def _segments(session: Session, at: datetime, networks: Networks | None) -> Iterator[Turn]:
    first = func.min(case((leases.is_due(Segment, at), Segment.id)))
    left = func.sum(Segment.frames_total)
    begun = select(first.label("segment_id"), left.label("frames_left"), Video.frames_total, *_LENGTH)
    begun = begun.join(Video, Video.id == Segment.video_id).where(Segment.due_at.is_not(None))
    begun = begun.where(work.can_analyze(networks)).group_by(Video.id).having(first.is_not(None))
    for row in session.execute(begun):
        yield Turn(_turn_at(row, row.frames_left / max(row.frames_total or 0, 1)), Task.ANALYZE, row.segment_id)


def _renders(session: Session, at: datetime, *, analysis_waits: bool) -> Iterator[Turn]:
    wanted = select(Render.id, Render.kind, Render.created_at.label("ordered_at"), *_LENGTH)
    wanted = wanted.join(Video, Video.id == Render.video_id).where(leases.is_due(Render, at))
    for row in session.execute(wanted.where(renders.may_begin(at, analysis_waits=analysis_waits))):
        length = _turn_at(row, float(row.kind is not RenderKind.PICTURES)) - row.created_at
        yield Turn(row.ordered_at + length, Task.RENDER, row.id)
