"""Pictures and videos made from recordings: what is wanted, who makes it, how far it is. See db.leases.

Analysis goes first. Each render has a turn, see db.turns; a preview or overlay that has run for `_TURN` gives
way to any analysis that waits for a worker, and begins anew once none waits. Where one always does, that would never
end: so of those that were ordered more than `_PATIENCE` ago, the oldest is made without giving way. As it is only one,
it keeps one worker from analysing, for as long as it takes, and the next one's turn comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.orm import Session

from emotion_timeline.db import leases, work
from emotion_timeline.db.leases import Lease
from emotion_timeline.db.tables import Render, RenderKind, RenderStatus, Video, VideoStatus
from emotion_timeline.db.videos import get
from emotion_timeline.db.work import Networks
from emotion_timeline.errors import Conflict, LeaseLost, Stopped
from emotion_timeline.playability import plays_in_browsers

_TURN = timedelta(seconds=60)
_PATIENCE = timedelta(hours=1)
_GRACE = timedelta(seconds=5)  # in which an idle worker takes an analysis that has just come
_MOVIES = (RenderKind.PREVIEW, RenderKind.OVERLAY)
_UNFINISHED = (RenderStatus.QUEUED, RenderStatus.RUNNING)
_NAMES = {RenderKind.PICTURES: "pictures", RenderKind.PREVIEW: "preview", RenderKind.OVERLAY: "video with the faces"}
_UNDONE = {"status": RenderStatus.QUEUED, "frames_done": 0}


@dataclass(frozen=True)
class RenderClaim:
    """The right to make something of a recording until somebody else gets it.

    Attributes:
        video_id: the video.
        name: of its recording, for people.
        kind: what to make.
        lease: the fence.
        claimed_at: since when.
        networks: that this worker could analyse with instead; None for all.
    """

    video_id: str
    name: str
    kind: RenderKind
    lease: Lease
    claimed_at: datetime
    networks: Networks | None = None

    def __str__(self) -> str:
        return f"the {_NAMES[self.kind]} of video {self.video_id} ({self.name})"


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
    at = leases.clock(session)
    if render is None:
        render = Render(video_id=video_id, kind=kind, created_at=at)
        session.add(render)
    render.status, render.created_at, render.frames_done = RenderStatus.QUEUED, at, 0
    render.frames_total = render.error_message = render.finished_at = None
    leases.set_free(render, due_at=at)
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


def claim(
    session: Session, render_id: int, lease_s: float, max_attempts: int, networks: Networks | None = None
) -> RenderClaim | None:
    """Own a render. None when it is done, gone, owned, or has failed too often."""
    lease = leases.take(session, Render, render_id, lease_s, status=RenderStatus.RUNNING, frames_done=0)
    if lease is None:
        return None
    render = session.get_one(Render, render_id)
    video = get(session, render.video_id)
    claimed = RenderClaim(video.id, video.filename, render.kind, lease, leases.clock(session), networks)
    if lease.attempt > max_attempts:
        fail(session, claimed, "crashed", _crash_sentence(render.kind, max_attempts))
        return None
    return claimed


def _crash_sentence(kind: RenderKind, attempts: int) -> str:
    return (
        f"Making the {_NAMES[kind]} stopped the process {attempts} times; it was killed or crashed each "
        "time. The timeline is not touched by it. The machine may be short of memory or disk space."
    )


def begin(session: Session, claim: RenderClaim, frames_total: int) -> None:
    """Publish how much there is to do.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    _held(session, claim).frames_total = frames_total


def renew(session: Session, claim: RenderClaim, lease_s: float, frames_done: int) -> None:
    """Keep a claim and publish its progress.

    Raises:
        LeaseLost: the work went to another, was ordered anew, or the video was deleted.
        Stopped: it gives way to an analysis.
    """
    leases.renew(session, claim.lease, lease_s, frames_done=frames_done)
    at = leases.clock(session)
    had_its_turn = claim.kind in _MOVIES and at > claim.claimed_at + _TURN
    is_asked_to = had_its_turn and work.waits(session, at - _GRACE, claim.networks)
    if is_asked_to and session.scalar(overdue(at)) != claim.lease.id:
        raise Stopped("An analysis waits for a worker.")


def _held(session: Session, claim: RenderClaim) -> Render:
    """The claim's row, its video locked until the transaction's end, with the claim checked: whoever deletes the video
    waits for that, and removes the files that appear meanwhile in its folder."""
    if session.get(Video, claim.video_id, with_for_update=True) is None:
        raise LeaseLost("The video was deleted.")
    leases.hold(session, claim.lease)
    return session.get_one(Render, claim.lease.id, populate_existing=True)


def complete(session: Session, claim: RenderClaim) -> None:
    """Mark a render done. Call it in the transaction that puts its files in their place: it holds the fence.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    render = _held(session, claim)
    frames_done = render.frames_total or render.frames_done
    _end(session, claim, status=RenderStatus.DONE, frames_done=frames_done, error_message=None)


def fail(session: Session, claim: RenderClaim, code: str, sentence: str) -> None:
    """End a render with a plain sentence, for good; the video stays as it is.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    _end(session, claim, status=RenderStatus.FAILED, error_message=sentence)


def _end(session: Session, claim: RenderClaim, **values: Any) -> None:
    leases.end(session, claim.lease, finished_at=leases.clock(session), **values)


def give_back(session: Session, claim: RenderClaim, *, count_attempt: bool) -> None:
    """Let go of an unfinished render; see emotion_timeline.db.leases.give_back()."""
    leases.give_back(session, claim.lease, count_attempt=count_attempt, **_UNDONE)


def sweep(session: Session) -> None:
    """End the leases of workers that are gone."""
    leases.sweep(session, Render, **_UNDONE)


def may_begin(at: datetime, *, analysis_waits: bool) -> ColumnElement[bool]:
    """Selects what need not wait for analyses: a movie that was begun and given up has had its turn."""
    if not analysis_waits:
        return true()
    had_its_turn = Render.kind.in_(_MOVIES) & Render.frames_total.is_not(None)
    return or_(~had_its_turn, Render.id == overdue(at).scalar_subquery())


def overdue(at: datetime) -> Select[int]:
    """Selects the one movie that has waited too long to give way any more, if there is one."""
    movie = Render.kind.in_(_MOVIES) & Render.status.in_(_UNFINISHED)
    ordered = Render.created_at < at - _PATIENCE
    return select(Render.id).where(movie, ordered).order_by(Render.created_at, Render.id).limit(1)
