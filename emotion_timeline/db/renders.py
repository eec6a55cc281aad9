"""Pictures and videos made from recordings: what is wanted, who makes it, how far it is. Claims are as in work.py.

Analysis goes first. A render takes its turn behind the messages that were sent before it; a preview or overlay that has
run for `_TURN` gives way to any analysis that waits for a worker, and begins anew once none waits. Where one always
does, that would never end: so of those that were ordered more than `_PATIENCE` ago, the oldest is made without giving
way. As it is only one, it keeps one worker from analysing, for as long as it takes, and the next one's turn comes.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, update
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import (
    Render,
    RenderKind,
    RenderStatus,
    Segment,
    SegmentStatus,
    Step,
    Video,
    VideoStatus,
)
from emotion_timeline.db.videos import get, now
from emotion_timeline.db.work import Message, Task
from emotion_timeline.errors import Conflict, LeaseLost, Stopped
from emotion_timeline.playability import plays_in_browsers

_TURN = timedelta(seconds=60)
_PATIENCE = timedelta(hours=1)
_MESSAGE_GRACE = timedelta(seconds=5)  # as for analyses: between sending a message and a worker's claim
_ACTIVE = (VideoStatus.QUEUED, VideoStatus.RUNNING)
_MOVIES = (RenderKind.PREVIEW, RenderKind.OVERLAY)
_UNFINISHED = (RenderStatus.QUEUED, RenderStatus.RUNNING)
_NAMES = {RenderKind.PICTURES: "pictures", RenderKind.PREVIEW: "preview", RenderKind.OVERLAY: "video with the faces"}
_FREE = {"lease_token": None, "lease_until": None, "queued_at": None}


@dataclass(frozen=True)
class RenderClaim:
    """The right to make something of a recording until somebody else gets it.

    Attributes:
        render_id: the row.
        video_id: its video.
        kind: what to make.
        token: the fence.
        claimed_at: since when.
    """

    render_id: int
    video_id: str
    kind: RenderKind
    token: str
    claimed_at: datetime


def order_for_done(session: Session, video: Video) -> None:
    """What every video gets when it is done: pictures, and a preview of a recording that browsers can't play."""
    order(session, video.id, RenderKind.PICTURES)
    if not plays_in_browsers(video.info):
        order(session, video.id, RenderKind.PREVIEW)


def order_unless_there(
    session: Session, video_id: str, kind: RenderKind, *, is_there: bool, anew: bool = False
) -> tuple[Render, bool]:
    """Have something made, unless it is done or in work; what has failed is tried again.

    Args:
        session: an open transaction.
        video_id: the video.
        kind: what to make.
        is_there: whether its file is; somebody may have made room on the disk.
        anew: even so, because names, merges or hidden faces have changed.

    Returns:
        Its row, and whether it was ordered by this call.

    Raises:
        NotFound: no such video.
        Conflict: the video is not done.
    """
    video = session.get(Video, video_id, with_for_update=True) or get(session, video_id)
    if video.status is not VideoStatus.DONE:
        raise Conflict(f"The {_NAMES[kind]} can be made of a video that is done; this one is {video.status.value}.")
    render = session.scalar(select(Render).where(_is(video.id, kind)))
    if render and not anew and (render.status in _UNFINISHED or (render.status is RenderStatus.DONE and is_there)):
        return render, False
    return order(session, video.id, kind), True


def order(session: Session, video_id: str, kind: RenderKind) -> Render:
    """Have something made from its beginning; whoever works on it now has lost it."""
    render = session.scalar(select(Render).where(_is(video_id, kind)))
    if render is None:
        render = Render(video_id=video_id, kind=kind, created_at=now())
        session.add(render)
    render.status, render.created_at, render.attempts, render.frames_done = RenderStatus.QUEUED, now(), 0, 0
    render.frames_total = render.error_message = render.finished_at = None
    render.lease_token = render.lease_until = render.queued_at = None
    session.flush()
    return render


def _is(video_id: str, kind: RenderKind) -> ColumnElement[bool]:
    return (Render.video_id == video_id) & (Render.kind == kind)


def of_videos(session: Session, video_ids: Sequence[str]) -> dict[str, list[Render]]:
    """The renders of each of these videos, by id: one query for all."""
    found: dict[str, list[Render]] = {video_id: [] for video_id in video_ids}
    for render in session.scalars(select(Render).where(Render.video_id.in_(video_ids)).order_by(Render.id)):
        found[render.video_id].append(render)
    return found


def claim(session: Session, render_id: int, lease_s: float, max_attempts: int) -> RenderClaim | None:
    """Own a render. None when it is done, gone, owned, or has failed too often."""
    video_id = session.scalar(select(Render.video_id).where(Render.id == render_id))
    # The video's lock is taken first, everywhere.
    video = session.get(Video, video_id, with_for_update=True) if video_id else None
    render = session.get(Render, render_id, populate_existing=True) if video else None
    if render is None or render.status in (RenderStatus.DONE, RenderStatus.FAILED) or _is_owned(render):
        return None
    if render.attempts >= max_attempts:
        _end(render, _crash_sentence(render))
        return None
    render.status, render.frames_done = RenderStatus.RUNNING, 0
    render.attempts += 1
    render.lease_token, render.lease_until = secrets.token_hex(16), now() + timedelta(seconds=lease_s)
    return RenderClaim(render.id, render.video_id, render.kind, render.lease_token, now())


def _is_owned(render: Render) -> bool:
    return render.lease_token is not None and render.lease_until is not None and render.lease_until > now()


def _crash_sentence(render: Render) -> str:
    return (
        f"Making the {_NAMES[render.kind]} stopped the process {render.attempts} times; it was killed or crashed each "
        "time. The timeline is not touched by it. The machine may be short of memory or disk space."
    )


def begin(session: Session, claim: RenderClaim, frames_total: int) -> None:
    """Publish how much there is to do.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    locked(session, claim).frames_total = frames_total


def renew(session: Session, claim: RenderClaim, lease_s: float, frames_done: int) -> None:
    """Keep a claim and publish its progress.

    Raises:
        LeaseLost: the work went to another, was ordered anew, or the video was deleted.
        Stopped: it gives way to an analysis.
    """
    had_its_turn = claim.kind in _MOVIES and now() > claim.claimed_at + _TURN
    is_asked_to = had_its_turn and _analysis_waits(session, since=now() - _MESSAGE_GRACE)
    if is_asked_to and session.scalar(_overdue()) != claim.render_id:
        raise Stopped("An analysis waits for a worker.")
    values = {"lease_until": now() + timedelta(seconds=lease_s), "frames_done": frames_done}
    renewal = update(Render).where(_holds(claim)).values(values).returning(Render.id)
    if session.execute(renewal).first() is None:
        raise LeaseLost("This piece of work is not wanted any more or was given to another worker.")


def _holds(claim: RenderClaim) -> ColumnElement[bool]:
    return (Render.id == claim.render_id) & (Render.lease_token == claim.token)


def locked(session: Session, claim: RenderClaim) -> Render:
    """The claim's row, its video locked until the transaction's end, with the claim checked: the fence before files
    appear in the video's folder. Whoever deletes the video waits for that, and removes them.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    video = session.get(Video, claim.video_id, with_for_update=True)
    render = session.scalar(select(Render).where(_holds(claim)).execution_options(populate_existing=True))
    if video is None or render is None:
        raise LeaseLost("This piece of work is not wanted any more or was given to another worker.")
    return render


def complete(session: Session, claim: RenderClaim) -> None:
    """Mark a render done. Call it in the transaction that puts its files in their place: it holds the fence.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    render = locked(session, claim)
    _end(render, None)
    render.frames_done = render.frames_total or render.frames_done


def fail(session: Session, claim: RenderClaim, sentence: str) -> None:
    """End a render with a plain sentence, for good. Nothing happens if it is lost already."""
    render = session.scalar(select(Render).where(_holds(claim)).with_for_update())
    if render is not None:
        _end(render, sentence)


def _end(render: Render, sentence: str | None) -> None:
    render.status, render.error_message = RenderStatus.FAILED if sentence else RenderStatus.DONE, sentence
    render.lease_token = render.lease_until = None
    render.finished_at = now()


def give_back(session: Session, claim: RenderClaim, *, count_attempt: bool) -> None:
    """Let go of an unfinished render so that another worker can take it. Nothing happens if it is lost already."""
    render = session.scalar(select(Render).where(_holds(claim)).with_for_update())
    if render is None:
        return
    render.status, render.frames_done = RenderStatus.QUEUED, 0
    render.lease_token = render.lease_until = render.queued_at = None
    render.attempts -= 0 if count_attempt else 1


def due(session: Session, video_id: str | None = None) -> list[Message]:
    """Renders that need a message, marked as sent: send these after the commit, behind those of analyses.

    A movie that was begun and given up has had its turn: it waits until no analysis does, or its patience is over.

    Args:
        session: an open transaction.
        video_id: look at this video only.
    """
    wanted = (Render.status == RenderStatus.QUEUED) & Render.queued_at.is_(None)
    if video_id is not None:
        wanted &= Render.video_id == video_id
    if _analysis_waits(session, since=now()):
        had_its_turn = Render.kind.in_(_MOVIES) & Render.frames_total.is_not(None)
        wanted &= or_(~had_its_turn, Render.id == _overdue().scalar_subquery())
    ids = session.scalars(select(Render.id).where(wanted).order_by(Render.id).with_for_update()).all()
    session.execute(update(Render).where(Render.id.in_(ids)).values(queued_at=now()))
    return [(Task.RENDER, render_id) for render_id in ids]


def _overdue() -> Select[int]:
    """Selects the one movie that has waited too long to give way any more, if there is one."""
    movie = Render.kind.in_(_MOVIES) & Render.status.in_(_UNFINISHED)
    ordered = Render.created_at < now() - _PATIENCE
    return select(Render.id).where(movie, ordered).order_by(Render.created_at, Render.id).limit(1)


def _analysis_waits(session: Session, since: datetime) -> bool:
    """Whether a piece of analysis was sent to the queue by this time and no worker has taken it."""
    step = and_(Video.step.in_((Step.PLAN, Step.FINISH)), Video.lease_token.is_(None), Video.queued_at <= since)
    pending = and_(Segment.video_id == Video.id, Segment.status == SegmentStatus.PENDING, Segment.queued_at <= since)
    waiting = or_(step, and_(Video.step == Step.ANALYZE, exists(select(Segment.id).where(pending))))
    return bool(session.scalar(select(exists().where(Video.status.in_(_ACTIVE), waiting))))


def sweep(session: Session, *, queue_is_empty: bool) -> None:
    """Find renders that nobody owns and mark them as due; see work.sweep()."""
    running = Render.status == RenderStatus.RUNNING
    queued = Render.status == RenderStatus.QUEUED
    lost = and_(queued, Render.queued_at < now() - _MESSAGE_GRACE) if queue_is_empty else false()
    abandoned = or_(and_(running, Render.lease_until < now()), lost)
    session.execute(update(Render).where(abandoned).values(**_FREE, status=RenderStatus.QUEUED, frames_done=0))
