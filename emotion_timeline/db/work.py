"""The steps of an analysis: a video is planned, its segments are analysed, it is finished. See db.leases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true
from sqlalchemy.orm import Session, undefer

from emotion_timeline.db import leases, webhooks
from emotion_timeline.db.leases import Lease
from emotion_timeline.db.tables import Segment, SegmentStatus, Step, Video, VideoStatus
from emotion_timeline.db.videos import fail_with
from emotion_timeline.durations import start_s
from emotion_timeline.errors import LeaseLost

_ACTIVE = (VideoStatus.QUEUED, VideoStatus.RUNNING)

Networks = Mapping[str, Sequence[str]]
"""The versions that the networks which a worker can use give, by their folders; see emotion_timeline.labels."""


@dataclass(frozen=True)
class Claim:
    """The right to do one step of an analysis until somebody else gets it.

    Attributes:
        video_id: the video.
        name: of its recording, for people.
        part: what of it, for people.
        lease: the fence.
    """

    video_id: str
    name: str
    part: str
    lease: Lease

    @property
    def segment_id(self) -> int | None:
        """The segment; None for planning or finishing the video."""
        return int(self.lease.id) if self.lease.table is Segment else None

    def __str__(self) -> str:
        return f"{self.part} of video {self.video_id} ({self.name})"


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


def claim_step(session: Session, video_id: str, step: Step, lease_s: float, max_attempts: int) -> Claim | None:
    """Own the planning or finishing of a video. None when it isn't due, is owned, or has failed too often."""
    video = _lock(session, video_id)
    if video is None or video.status not in _ACTIVE or video.step is not step:
        return None
    lease = leases.take(session, Video, video_id, lease_s)
    if lease is None:
        return None
    claim = Claim(video_id, video.filename, f"the {_NAMES[step]}", lease)
    return _begin(session, video, claim, max_attempts, "Reading the recording")


_NAMES = {Step.PLAN: "plan", Step.FINISH: "end"}


def claim_segment(
    session: Session, segment_id: int, lease_s: float, max_attempts: int
) -> tuple[Claim, Video, SegmentRow] | None:
    """Own a segment. None when it is done, gone, owned, not due, or has failed too often."""
    video_id = session.scalar(select(Segment.video_id).where(Segment.id == segment_id))
    # The video's lock is taken first, everywhere.
    video = _lock(session, video_id) if video_id else None
    if video is None or video.status not in _ACTIVE:
        return None
    begun = {"status": SegmentStatus.RUNNING, "claimed_at": leases.clock(session), "frames_done": 0}
    lease = leases.take(session, Segment, segment_id, lease_s, **begun)
    if lease is None:
        return None
    segment = session.get_one(Segment, segment_id, options=[undefer(Segment.frames), undefer(Segment.pts)])
    claim = Claim(video.id, video.filename, f"segment {segment.number + 1}", lease)
    begun_claim = _begin(session, video, claim, max_attempts, _stretch(segment))
    return (begun_claim, video, SegmentRow.of(segment)) if begun_claim else None


def _begin(session: Session, video: Video, claim: Claim, max_attempts: int, what: str) -> Claim | None:
    """Show the video as running; or fail it, when this work has been tried too often."""
    if claim.lease.attempt > max_attempts:
        fail(session, claim, "crashed", _crash_sentence(what, max_attempts))
        return None
    video.status, video.started_at = VideoStatus.RUNNING, video.started_at or leases.clock(session)
    return claim


def _lock(session: Session, video_id: str) -> Video | None:
    return session.get(Video, video_id, with_for_update=True, populate_existing=True)


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
    leases.renew(session, claim.lease, lease_s, **({"frames_done": frames_done} if claim.segment_id else {}))


def save_plan(session: Session, claim: Claim, segments: Sequence[SegmentRow], info: dict[str, Any]) -> None:
    """Store a video's segments in place of any earlier ones.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    video = _held(session, claim)
    session.query(Segment).filter_by(video_id=video.id).delete()
    at = leases.clock(session)
    for number, row in enumerate(segments):
        segment = Segment(video_id=video.id, number=number, plan=row.plan, frames_total=len(row.frames), due_at=at)
        segment.frames, segment.pts = row.frames.astype("<i8").tobytes(), row.pts.astype("<i8").tobytes()
        session.add(segment)
    video.info, video.frames_total = info, sum(len(row.frames) for row in segments)
    video.step = Step.ANALYZE
    leases.set_free(video, due_at=None)


def complete_segment(session: Session, claim: Claim) -> None:
    """Mark a segment done; with the last one the video is due to be finished. Call it first in the transaction that
    writes the segment's rows: it holds the fence.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    video, at = _held(session, claim), leases.clock(session)
    total = Segment.frames_total
    leases.end(session, claim.lease, status=SegmentStatus.DONE, done_at=at, frames_done=total)
    if not session.scalar(select(exists().where(Segment.video_id == video.id, Segment.status != SegmentStatus.DONE))):
        video.step = Step.FINISH
        leases.set_free(video, due_at=at)


def complete_video(session: Session, claim: Claim, summary: dict[str, Any]) -> None:
    """Mark a video done.

    Raises:
        LeaseLost: the claim is not valid any more.
    """
    video = _held(session, claim)
    leases.set_free(video, due_at=None)
    video.step, video.summary = Step.NONE, summary
    video.status, video.finished_at = VideoStatus.DONE, leases.clock(session)
    webhooks.announce(session, video)


def _held(session: Session, claim: Claim) -> Video:
    """The claim's video, locked, with the claim checked."""
    video = _lock(session, claim.video_id)
    if video is None:
        raise LeaseLost("The video was deleted.")
    leases.hold(session, claim.lease)
    return video


def fail(session: Session, claim: Claim, code: str, sentence: str) -> None:
    """End the video with a plain sentence; what is finished of it is kept.

    Raises:
        LeaseLost: the claim is not valid any more; whoever has the work now may succeed.
    """
    fail_with(session, _held(session, claim), code, sentence)


def give_back(session: Session, claim: Claim, *, count_attempt: bool) -> None:
    """Let go of unfinished work; see emotion_timeline.db.leases.give_back()."""
    leases.give_back(session, claim.lease, count_attempt=count_attempt, **(_UNDONE if claim.segment_id else {}))


_UNDONE = {"status": SegmentStatus.PENDING, "frames_done": 0}


def sweep(session: Session) -> None:
    """End the leases of workers that are gone."""
    # Videos before segments, as everywhere, or two transactions could wait for each other.
    leases.sweep(session, Video)
    leases.sweep(session, Segment, **_UNDONE)


def waits(session: Session, since: datetime, networks: Networks | None = None) -> bool:
    """Whether a piece of analysis has been due since this time.

    Args:
        session: an open session.
        since: see above.
        networks: count segments for these only; None for all.
    """
    at = leases.clock(session)
    segments = select(Segment.id).join(Video, Video.id == Segment.video_id).where(can_analyze(networks))
    segment_waits = segments.where(Segment.due_at <= since, leases.is_due(Segment, at)).exists()
    step_waits = select(Video.id).where(Video.due_at <= since, leases.is_due(Video, at)).exists()
    return bool(session.scalar(select(or_(step_waits, segment_waits))))


def can_analyze(networks: Networks | None) -> ColumnElement[bool]:
    """Selects the videos that are analysed by one of these networks; all when None."""
    if networks is None:
        return true()
    ours = [and_(Video.model == model, Video.model_version.in_(versions)) for model, versions in networks.items()]
    return or_(false(), *ours)
