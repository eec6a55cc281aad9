"""Who may work on what: claims with a lease and a fencing token, and the sweep that finds work nobody owns.

The database is the record; a message in the queue only says "look now". So a message may be lost, doubled or late: a
claim succeeds for one worker at a time, and a result is written only under the token of the latest claim.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, and_, exists, false, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from emotion_timeline.db import webhooks
from emotion_timeline.db.tables import Segment, SegmentStatus, Step, Video, VideoStatus
from emotion_timeline.db.videos import fail, now
from emotion_timeline.durations import start_s
from emotion_timeline.errors import LeaseLost

_ACTIVE = (VideoStatus.QUEUED, VideoStatus.RUNNING)
_MESSAGE_GRACE = timedelta(seconds=5)  # between sending a message and a worker's claim


@dataclass(frozen=True)
class Claim:
    """The right to do one piece of work until somebody else gets it.

    Attributes:
        video_id: the video.
        segment_id: the segment; None for planning or finishing the video.
        token: the fence.
    """

    video_id: str
    segment_id: int | None
    token: str


@dataclass(frozen=True)
class SegmentRow:
    """A planned segment as it is stored.

    Attributes:
        plan: the plan's integers.
        frames: int64 (n,), indexes of the sampled frames.
        pts: int64 (n,), their presentation timestamps.
    """

    plan: dict[str, Any]
    frames: NDArray[np.int64]
    pts: NDArray[np.int64]

    @classmethod
    def of(cls, segment: Segment) -> Self:
        """Read a segment's row."""
        return cls(segment.plan, _unpack(segment.frames), _unpack(segment.pts))


class Task(Enum):
    """The kinds of work."""

    PLAN = "plan_video"
    ANALYZE = "analyze_segment"
    FINISH = "finish_video"
    RENDER = "render"


Message = tuple[Task, str | int]
"""A task and the id of its video, segment or render: all that goes through the queue."""


def claim_step(session: Session, video_id: str, step: Step, lease_s: float, max_attempts: int) -> Claim | None:
    """Own the planning or finishing of a video. None when it isn't due, is owned, or has failed too often."""
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.status not in _ACTIVE or video.step is not step or _is_owned(video):
        return None
    if video.attempts >= max_attempts:
        fail(session, video_id, "crashed", _crash_sentence("Reading the recording", video.attempts))
        return None
    video.status, video.started_at = VideoStatus.RUNNING, video.started_at or now()
    return Claim(video_id, None, _lease(video, lease_s))


def claim_segment(
    session: Session, segment_id: int, lease_s: float, max_attempts: int
) -> tuple[Claim, Video, SegmentRow] | None:
    """Own a segment. None when it is done, gone, owned, not due, or has failed too often."""
    video_id = session.scalar(select(Segment.video_id).where(Segment.id == segment_id))
    # The video's lock is taken first, everywhere.
    video = session.get(Video, video_id, with_for_update=True) if video_id else None
    segment = session.get(Segment, segment_id, options=[undefer(Segment.frames), undefer(Segment.pts)])
    if video is None or segment is None:
        return None
    if video.status not in _ACTIVE or segment.status is SegmentStatus.DONE or _is_owned(segment):
        return None
    if segment.attempts >= max_attempts:
        fail(session, video.id, "crashed", _crash_sentence(_stretch(segment), segment.attempts))
        return None
    video.status, video.started_at = VideoStatus.RUNNING, video.started_at or now()
    segment.status, segment.claimed_at, segment.frames_done = SegmentStatus.RUNNING, now(), 0
    return Claim(video.id, segment_id, _lease(segment, lease_s)), video, SegmentRow.of(segment)


def _is_owned(work: Video | Segment) -> bool:
    return work.lease_token is not None and work.lease_until is not None and work.lease_until > now()


def _lease(work: Video | Segment, lease_s: float) -> str:
    work.attempts += 1
    work.lease_token, work.lease_until = secrets.token_hex(16), now() + timedelta(seconds=lease_s)
    return work.lease_token


def _crash_sentence(what: str, attempts: int) -> str:
    return (
        f"{what} stopped the analysis process {attempts} times; it was killed or crashed each time. The recording may "
        "be damaged in a way that the decoder can't survive, or the machine may be short of memory. Convert the "
        "recording to H.264 MP4 and upload it again, or retry on a machine with more memory."
    )


def _stretch(segment: Segment) -> str:
    begin_s = int(start_s(segment.plan))
    clock = f"{begin_s // 60}:{begin_s % 60:02d}"
    return f"The part of the recording from {clock} on (segment {segment.number + 1})"


def _unpack(data: bytes) -> NDArray[np.int64]:
    return np.frombuffer(data, dtype="<i8").astype(np.int64)


def renew(session: Session, claim: Claim, lease_s: float, frames_done: int = 0) -> None:
    """Keep a claim and publish its progress.

    Raises:
        LeaseLost: the work went to another, or the video was cancelled or deleted.
    """
    lease: dict[str, Any] = {"lease_until": now() + timedelta(seconds=lease_s)}
    renewed: Row[Any] | None
    if claim.segment_id is None:
        renewed = session.execute(update(Video).where(_holds_step(claim)).values(lease).returning(Video.id)).first()
    else:
        lease["frames_done"] = frames_done
        renewal = update(Segment).where(_holds_segment(claim)).values(lease).returning(Segment.id)
        renewed = session.execute(renewal).first()
    if renewed is None:
        raise LeaseLost("This piece of work was cancelled or given to another worker.")


def _holds_step(claim: Claim) -> ColumnElement[bool]:
    return (Video.id == claim.video_id) & (Video.lease_token == claim.token)


def _holds_segment(claim: Claim) -> ColumnElement[bool]:
    return (Segment.id == claim.segment_id) & (Segment.lease_token == claim.token)


def _locked(session: Session, claim: Claim) -> Video:
    """The claim's video, locked, with the claim checked: the fence before every write of a result."""
    video = session.get(Video, claim.video_id, with_for_update=True)
    held = _holds_step(claim) if claim.segment_id is None else _holds_segment(claim)
    if video is None or video.status not in _ACTIVE or not session.scalar(select(exists().where(held))):
        raise LeaseLost("This piece of work was cancelled or given to another worker.")
    return video


def save_plan(session: Session, claim: Claim, segments: Sequence[SegmentRow], info: dict[str, Any]) -> None:
    """Store a video's segments in place of any earlier ones.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    video = _locked(session, claim)
    session.query(Segment).filter_by(video_id=video.id).delete()
    for number, row in enumerate(segments):
        segment = Segment(video_id=video.id, number=number, plan=row.plan, frames_total=len(row.frames))
        segment.frames, segment.pts = row.frames.astype("<i8").tobytes(), row.pts.astype("<i8").tobytes()
        session.add(segment)
    video.info, video.frames_total = info, sum(len(row.frames) for row in segments)
    _next_step(video, Step.ANALYZE)


def complete_segment(session: Session, claim: Claim) -> None:
    """Mark a segment done; with the last one the video is due to be finished. Call it first in the transaction that
    writes the segment's rows: it holds the fence.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    video = _locked(session, claim)
    segment = session.get_one(Segment, claim.segment_id)
    segment.status, segment.done_at, segment.frames_done = SegmentStatus.DONE, now(), segment.frames_total
    segment.lease_token = segment.lease_until = None
    session.flush()
    if not session.scalar(select(exists().where(Segment.video_id == video.id, Segment.status != SegmentStatus.DONE))):
        _next_step(video, Step.FINISH)


def complete_video(session: Session, claim: Claim, summary: dict[str, Any]) -> None:
    """Mark a video done.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    video = _locked(session, claim)
    _next_step(video, Step.NONE)
    video.status, video.finished_at, video.summary = VideoStatus.DONE, now(), summary
    webhooks.announce(session, video)


def _next_step(video: Video, step: Step) -> None:
    video.step, video.attempts = step, 0
    video.lease_token = video.lease_until = video.queued_at = None


def give_back(session: Session, claim: Claim, *, count_attempt: bool) -> None:
    """Let go of unfinished work so that another worker can take it at once. Nothing happens if it is lost already.

    Args:
        session: an open transaction.
        claim: the claim.
        count_attempt: whether it counts as a failed attempt; a worker that shuts down has not failed.
    """
    work: Video | Segment | None
    if claim.segment_id is None:
        work = session.scalar(select(Video).where(_holds_step(claim)).with_for_update())
    else:
        work = session.scalar(select(Segment).where(_holds_segment(claim)).with_for_update())
    if work is None:
        return
    work.lease_token = work.lease_until = work.queued_at = None
    work.attempts -= 0 if count_attempt else 1
    if isinstance(work, Segment):
        work.status, work.frames_done = SegmentStatus.PENDING, 0


def due(session: Session, window: int, video_id: str | None = None) -> list[Message]:
    """Work that needs a message, marked as sent: send these after the commit.

    A video has at most `window` segments queued or running, so a long one can't push short ones to the queue's end.

    Args:
        session: an open transaction.
        window: see above.
        video_id: look at this video only.
    """
    videos = select(Video).where(Video.status.in_(_ACTIVE)).order_by(Video.created_at)
    if video_id is not None:
        videos = videos.where(Video.id == video_id)
    messages: list[Message] = []
    for video in session.scalars(videos.with_for_update()).all():
        if video.step is Step.ANALYZE:
            messages += [(Task.ANALYZE, segment_id) for segment_id in _due_segments(session, video.id, window)]
        elif video.queued_at is None and not _is_owned(video):
            video.queued_at = now()
            messages.append((Task.PLAN if video.step is Step.PLAN else Task.FINISH, video.id))
    return messages


def _due_segments(session: Session, video_id: str, window: int) -> Sequence[int]:
    unfinished = (Segment.video_id == video_id) & (Segment.status != SegmentStatus.DONE)
    sent = unfinished & Segment.queued_at.is_not(None)
    room = window - (session.scalar(select(func.count()).select_from(Segment).where(sent)) or 0)
    if room <= 0:
        return []
    unsent = select(Segment.id).where(unfinished, Segment.queued_at.is_(None)).order_by(Segment.number).limit(room)
    ids = session.scalars(unsent).all()
    session.execute(update(Segment).where(Segment.id.in_(ids)).values(queued_at=now()))
    return ids


def sweep(session: Session, *, queue_is_empty: bool) -> None:
    """Find work that nobody owns and mark it as due.

    Leases that ran out are ended. A sent message is known to be lost when the queue is empty and nobody claimed the
    work; while the queue holds messages, workers have something to do and nothing is sent twice.
    """
    long_ago = now() - _MESSAGE_GRACE
    ended = {"lease_token": None, "lease_until": None, "queued_at": None}
    unanswered = Video.queued_at < long_ago if queue_is_empty else false()
    # Videos before segments, as everywhere, or two transactions could wait for each other.
    unowned = or_(Video.lease_until < now(), and_(Video.lease_token.is_(None), unanswered))
    session.execute(update(Video).where(Video.status.in_(_ACTIVE), unowned).values(**ended))
    expired = (Segment.status == SegmentStatus.RUNNING) & (Segment.lease_until < now())
    session.execute(update(Segment).where(expired).values(**ended, status=SegmentStatus.PENDING, frames_done=0))
    if queue_is_empty:
        lost = (Segment.status == SegmentStatus.PENDING) & (Segment.queued_at < long_ago)
        session.execute(update(Segment).where(lost).values(queued_at=None))
