"""A video's life: created, listed, cancelled, retried, failed, deleted. Its status changes here and in work.py only."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from emotion_timeline.clip import Clip
from emotion_timeline.db import leases, webhooks
from emotion_timeline.db.tables import Note, Segment, SegmentStatus, Step, Video, VideoStatus
from emotion_timeline.detectors import EMBEDDER, PACKAGED
from emotion_timeline.errors import Conflict, NotFound

_ACTIVE = (VideoStatus.QUEUED, VideoStatus.RUNNING)
_BETWEEN_SEGMENTS = timedelta(seconds=5)  # a worker that has ended one this short a while ago is at work


@dataclass(frozen=True)
class NewVideo:
    """What is known of an upload before its row exists.

    Attributes:
        id: from new_id(); also the recording's name in the data folder.
        filename: as the person called it.
        size_bytes: of the recording.
        sha256: of the recording, in hexadecimal.
        sample_hz: frames per second to analyse; None for all.
        model: folder of the network.
        model_version: of the network.
        info: emotion_timeline.media.plan.VideoInfo as a dictionary.
        clip_start_s: start of the stretch to analyse, in seconds from the first frame; None for the recording's.
        clip_end_s: its end, exclusive; None for the recording's.
        detector: version of the face detector.
        embedder: version of the network that tells faces apart; empty where each track is a face.
        rotate: 0, 90, 180 or 270 degrees clockwise, by which pictures are turned besides what the file says.
    """

    id: str
    filename: str
    size_bytes: int
    sha256: str
    sample_hz: float | None
    model: str
    model_version: str
    info: dict[str, Any]
    clip_start_s: float | None = None
    clip_end_s: float | None = None
    detector: str = PACKAGED
    rotate: int = 0
    embedder: str = EMBEDDER

    @property
    def work_key(self) -> str:
        """The same for the same content analysed in the same way."""
        return _work_key(self, self.model_version)


@dataclass(frozen=True)
class Progress:
    """How far a video is.

    Attributes:
        frames_done: sampled frames whose result is stored or in work.
        frames_total: sampled frames; None until the video is planned.
        fps: frames per second at present; None when unknown or not running.
        eta_s: seconds left; None when unknown.
        queue_position: 1-based place among the videos that wait; None unless queued.
    """

    frames_done: int
    frames_total: int | None
    fps: float | None
    eta_s: float | None
    queue_position: int | None


def _work_key(work: NewVideo | Video, model_version: str) -> str:
    parts = [work.sha256, repr(work.sample_hz), work.model, model_version]
    clip = Clip(work.clip_start_s, work.clip_end_s)
    if not clip.is_whole:
        parts += [repr(clip.start_s or None), repr(clip.end_s)]
    if work.detector != PACKAGED:
        parts.append(f"detector {work.detector}")
    if work.embedder != EMBEDDER:
        parts.append(f"embedder {work.embedder}")
    if work.rotate:
        parts.append(f"rotate {work.rotate}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """An id that can't be guessed: 22 characters, 128 bits, safe in URLs and file names.

    It begins with a letter: a dash would read as an option on a command line, and whoever reads a CSV takes what looks
    like a number for one (https://github.com/pandas-dev/pandas/issues/8272).
    """
    while not (identifier := secrets.token_urlsafe(16))[0].isalpha():
        continue
    return identifier


def id_of(sha256: str) -> str:
    """The same id for the same recording: 22 characters, the first a letter as in new_id()."""
    return f"v{sha256[:21]}"


def create(session: Session, new: NewVideo) -> tuple[Video, bool]:
    """Add a video, or find the one that is the same work.

    An earlier one that failed or was cancelled is queued again: whoever uploads wants it analysed.

    Returns:
        The video, and whether it is new.
    """
    if existing := _same_work(session, new):
        return existing, False
    columns = {name: getattr(new, name) for name in new.__dataclass_fields__}
    at = leases.clock(session)
    video = Video(**columns, work_key=new.work_key, created_at=at, due_at=at)
    try:
        with session.begin_nested():
            session.add(video)
    except IntegrityError:  # somebody uploaded the same between the look and the insert
        if existing := _same_work(session, new):
            return existing, False
        raise
    return video, True


def _same_work(session: Session, new: NewVideo) -> Video | None:
    video = session.scalar(select(Video).where(Video.work_key == new.work_key))
    if video and video.status in (VideoStatus.FAILED, VideoStatus.CANCELLED):
        retry(session, video.id)
    return video


def get(session: Session, video_id: str) -> Video:
    """One video.

    Raises:
        NotFound: there is none with this id.
    """
    video = session.get(Video, video_id)
    if video is None:
        raise NotFound(f"There is no video with the id {video_id!r}. It may have been deleted.")
    return video


def other_analyses(session: Session, videos: Sequence[Video]) -> dict[str, list[Video]]:
    """For each of these videos, by id, the other analyses of the same recording, newest first: one query for all."""
    contents = {video.sha256 for video in videos}
    newest_first = select(Video).order_by(Video.created_at.desc(), Video.id)
    found = session.scalars(newest_first.where(Video.sha256.in_(contents))).all()
    by_content: dict[str, list[Video]] = {content: [] for content in contents}
    for analysis in found:
        by_content[analysis.sha256].append(analysis)
    return {video.id: [a for a in by_content[video.sha256] if a.id != video.id] for video in videos}


def progress(session: Session, videos: Sequence[Video]) -> dict[str, Progress]:
    """How far videos are, by id. Speed is the mean of the segments so far times the number in work now."""
    ids = [video.id for video in videos]
    unfinished = [video.id for video in videos if video.status is not VideoStatus.DONE]  # the others have all frames
    columns = (Segment.video_id, Segment.status, Segment.frames_done, Segment.claimed_at, Segment.done_at)
    begun = Segment.video_id.in_(unfinished) & (Segment.status != SegmentStatus.PENDING)
    segments: dict[str, list[Any]] = {identifier: [] for identifier in ids}
    for row in session.execute(select(*columns).where(begun)):
        segments[row.video_id].append(row)
    waiting = list(session.scalars(_waiting())) if any(v.status is VideoStatus.QUEUED for v in videos) else []
    places = {identifier: place for place, identifier in enumerate(waiting, 1)}
    at = leases.clock(session)
    return {video.id: _progress(video, segments[video.id], places.get(video.id), at) for video in videos}


def _waiting() -> Any:
    return select(Video.id).where(Video.status == VideoStatus.QUEUED).order_by(Video.created_at, Video.id)


def _progress(video: Video, segments: list[Any], place: int | None, at: datetime) -> Progress:
    if video.status is VideoStatus.DONE:
        return Progress(video.frames_total or 0, video.frames_total, None, None, None)
    done = sum(row.frames_done for row in segments)
    left = (video.frames_total or done) - done
    fps = _speed(segments, at) if video.status is VideoStatus.RUNNING and left else None
    return Progress(done, video.frames_total, fps, left / fps if fps else None, place)


def _speed(segments: list[Any], at: datetime) -> float | None:
    """Frames per second; None when nobody is at work, or nothing is done yet."""
    running = sum(row.status is SegmentStatus.RUNNING for row in segments)
    just_ended = any(row.done_at and row.done_at > at - _BETWEEN_SEGMENTS for row in segments)
    busy_s = sum(((row.done_at or at) - row.claimed_at).total_seconds() for row in segments)
    done = sum(row.frames_done for row in segments)
    at_once = running or int(just_ended)
    return done / busy_s * at_once or None if busy_s > 0 else None


def cancel(session: Session, video_id: str) -> Video:
    """Stop a queued or running video; what is finished of it is kept, so that a retry goes on from there.

    Raises:
        Conflict: it is neither queued nor running.
        NotFound: no such video.
    """
    video = _lock(session, video_id)
    if video.status not in _ACTIVE:
        raise Conflict(f"Only a queued or running video can be cancelled; this one is {video.status.value}.")
    _end(session, video, VideoStatus.CANCELLED)
    return video


def fail(session: Session, video_id: str, code: str, message: str) -> bool:
    """End an active video with a plain sentence, whoever works on it. What a piece of work comes to is written by
    emotion_timeline.db.work.fail(), under its lease.

    Returns:
        False when it isn't active any more.
    """
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or video.status not in _ACTIVE:
        return False
    fail_with(session, video, code, message)
    return True


def fail_with(session: Session, video: Video, code: str, message: str) -> None:
    """The same for a video whose row is locked and that is known to be active."""
    _end(session, video, VideoStatus.FAILED)
    video.error_code, video.error_message = code, message
    webhooks.announce(session, video)


def _end(session: Session, video: Video, status: VideoStatus) -> None:
    video.status, video.finished_at = status, leases.clock(session)
    leases.set_free(video, due_at=None)
    released = {"status": SegmentStatus.PENDING, "frames_done": 0, **leases.free(None)}
    session.execute(update(Segment).where(_unfinished(video)).values(released))


def _unfinished(video: Video) -> ColumnElement[bool]:
    return (Segment.video_id == video.id) & (Segment.status != SegmentStatus.DONE)


def retry(session: Session, video_id: str) -> Video:
    """Queue a failed or cancelled video again; finished segments are kept and not computed twice.

    Raises:
        Conflict: it neither failed nor was cancelled.
        NotFound: no such video.
    """
    video, at = _lock(session, video_id), leases.clock(session)
    if video.status not in (VideoStatus.FAILED, VideoStatus.CANCELLED):
        raise Conflict(f"Only a failed or cancelled video can be retried; this one is {video.status.value}.")
    video.status, video.restarts = VideoStatus.QUEUED, 0
    video.error_code = video.error_message = video.finished_at = None
    leases.set_free(video, due_at=None if video.step is Step.ANALYZE else at)
    session.execute(update(Segment).where(_unfinished(video)).values({**leases.free(at), "attempts": 0}))
    return video


def restart(session: Session, video_id: str, model_version: str) -> bool:
    """Begin a video anew with another version of its network: a timeline never mixes two.

    Returns:
        False when that is no new work, because another video is this recording's analysis by that version: this one
        then fails, and nothing of it is lost.

    Raises:
        NotFound: no such video.
    """
    video = _lock(session, video_id)
    if video.model_version == model_version:
        return True
    work_key = _work_key(video, model_version)
    if session.scalar(select(Video.id).where(Video.work_key == work_key, Video.id != video_id)):
        fail(session, video_id, "network_replaced", _replaced_sentence(video.model_version, model_version))
        return False
    session.execute(delete(Segment).where(Segment.video_id == video_id))
    video.model_version, video.work_key, video.step, video.frames_total = model_version, work_key, Step.PLAN, None
    video.restarts += 1
    leases.set_free(video, due_at=leases.clock(session))
    return True


def _replaced_sentence(old: str, new: str) -> str:
    return (
        f"The network {old} was replaced by {new} before this analysis was done, and {new} has analysed the recording "
        "in the same way already. Use that analysis and delete this one, or put the old network back and try again."
    )


def remove(session: Session, video_id: str) -> None:
    """Delete a video with all its rows, in any state; its recording's notes go with the last analysis. The caller
    deletes the recording after the commit.

    Raises:
        NotFound: no such video.
    """
    analyses = lock_analyses(session, get(session, video_id).sha256)
    video = _lock(session, video_id)
    if heirs := [analysis for analysis in analyses if analysis != video_id]:
        session.execute(update(Note).where(Note.video_id == video_id).values(video_id=heirs[0]))
    session.delete(video)


def lock_analyses(session: Session, sha256: str) -> Sequence[str]:
    """The ids of all analyses of a recording, locked in one order for all until the end of the transaction."""
    return session.scalars(select(Video.id).where(Video.sha256 == sha256).order_by(Video.id).with_for_update()).all()


def _lock(session: Session, video_id: str) -> Video:
    video = session.get(Video, video_id, with_for_update=True)
    return video if video is not None else get(session, video_id)
