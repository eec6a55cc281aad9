"""Who works here, with which networks, and whether the work gets on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from emotion_timeline.db import leases, videos
from emotion_timeline.db.tables import Leased, Render, Segment, Video, Worker
from emotion_timeline.db.work import Networks, can_analyze
from emotion_timeline.labels import labels_of

_KINDS: tuple[type[Leased], ...] = (Video, Segment, Render)
_FORGOTTEN = timedelta(days=1)
_MISSING = timedelta(seconds=60)
_STUCK = timedelta(seconds=120)


def tell(session: Session, name: str, networks: Networks) -> None:
    """Write down that a worker is here, and what it can use.

    Args:
        session: an open transaction.
        name: of the worker.
        networks: that it can use.
    """
    at = leases.clock(session)
    session.merge(Worker(name=name, seen_at=at, networks={folder: list(given) for folder, given in networks.items()}))
    session.execute(delete(Worker).where(Worker.seen_at < at - _FORGOTTEN))


def state(session: Session, sweep_s: float) -> str:
    """How the workers are.

    Args:
        session: an open session.
        sweep_s: seconds between two words of a worker.

    Returns:
        "missing" when none has been heard of lately; "stuck" when work has been due for long and nobody takes any; else
        "ok".
    """
    at = leases.clock(session)
    heard_of = exists().where(Worker.seen_at > at - max(_MISSING, timedelta(seconds=3 * sweep_s)))
    if not session.scalar(select(heard_of)):
        return "missing"
    is_busy = or_(*(exists().where(leases.is_owned(table, at)) for table in _KINDS))
    long_due = or_(*(exists().where(_is_long_due(table, at)) for table in _KINDS))
    return "stuck" if session.scalar(select(long_due & ~is_busy)) else "ok"


def _is_long_due(table: type[Leased], at: datetime) -> ColumnElement[bool]:
    return leases.is_due(table, at) & (table.due_at < at - _STUCK)


def left_to_others(session: Session, networks: Networks) -> dict[str, str]:
    """Sentences on the videos that wait for another network than these, by id."""
    waiting = select(Video.id, Video.filename, Video.model_version).join(Segment, Segment.video_id == Video.id)
    waiting = waiting.where(leases.is_due(Segment, leases.clock(session)), ~can_analyze(networks)).distinct()
    return {
        row.id: f"Video {row.id} ({row.filename}) is left to workers with the network {row.model_version}."
        for row in session.execute(waiting)
    }


def settle(session: Session, wait_s: float) -> list[str]:
    """Decide on the videos whose network no worker has: such a video begins anew, once, with what workers have in the
    folder of that name now; it fails when there is nothing, or when it was begun anew before.

    Args:
        session: an open transaction.
        wait_s: seconds for which a worker with the network may be away.

    Returns:
        A sentence on each, for the log.
    """
    at, wait = leases.clock(session), timedelta(seconds=wait_s)
    seen, present = _networks(session, at - wait)
    since = func.min(Segment.due_at)
    waiting = select(Video, since).join(Segment, Segment.video_id == Video.id).where(leases.is_due(Segment, at))
    told = []
    for video, due_at in session.execute(waiting.group_by(Video.id).having(since < at - wait)).all():
        if (video.model, video.model_version) in seen:
            continue
        old, new = video.model_version, _successor(video.model_version, present.get(video.model, ()))
        if new is None or video.restarts:
            videos.fail(session, video.id, "network_missing", _missing_sentence(old))
            new = None
        elif not videos.restart(session, video.id, new):
            new = None
        outcome = f"begins anew with {new}" if new else "fails"
        told.append(f"No worker has had the network {old} since {due_at:%H:%M:%S}: video {video.id} {outcome}.")
    return told


def _successor(version: str, given: Sequence[str]) -> str | None:
    """Of the versions that a network gives, the one with the same labels as another's version, else the first."""
    return next((other for other in given if labels_of(other) is labels_of(version)), next(iter(given), None))


def _networks(session: Session, since: datetime) -> tuple[set[tuple[str, str]], dict[str, Sequence[str]]]:
    """What workers have had since a time, as folder and version, and the latest versions in each folder."""
    rows = session.scalars(select(Worker).where(Worker.seen_at >= since).order_by(Worker.seen_at)).all()
    held = [network for worker in rows for network in worker.networks.items()]
    return {(folder, version) for folder, given in held for version in given}, dict(held)


def _missing_sentence(version: str) -> str:
    return (
        f"No worker can use the network {version}, with which this analysis was begun; the workers' logs say why. Put "
        "it back into a worker's models folder and try again, or upload the recording again to have it analysed by the "
        "network that is served now."
    )
