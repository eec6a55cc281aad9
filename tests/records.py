"""Videos, segments and rows put into a database as web and workers put them there, for tests."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from emotion_timeline import results
from emotion_timeline.db import videos, work
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Render, Segment, Step, Video, VideoStatus
from emotion_timeline.db.work import Claim, SegmentRow
from emotion_timeline.faces.embedding import Embedding
from emotion_timeline.observations import Observations, Status, blank

_TICKS = 10_000_000  # a second, in the plans made here
ATTEMPTS = 3


def new_video(video_id: str = "first", sha256: str = "aa", **changes: Any) -> videos.NewVideo:
    fields = {
        "filename": "a.mp4",
        "size_bytes": 1,
        "sample_hz": None,
        "model": "paper",
        "model_version": "paper-1",
        "info": {},
    }
    return videos.NewVideo(id=video_id, sha256=sha256, **{**fields, **changes})


def add(database: Database, video_id: str = "first", **changes: Any) -> str:
    with database.write() as session:
        video, created = videos.create(session, new_video(video_id, sha256=video_id, **changes))
        assert created
        return video.id


def plan(database: Database, video_id: str, segments: int = 3, frames: int = 4) -> list[int]:
    """Plan a video; returns its segments' ids."""
    with database.write() as session:
        claim = work.claim_step(session, video_id, Step.PLAN, 60, ATTEMPTS)
        assert claim is not None
        parts = [rows(range(first, first + frames)) for first in range(0, segments * frames, frames)]
        work.save_plan(session, claim, planned(parts, segments * frames / 10), {"width": 4})
    with database.read() as session:
        return list(session.scalars(select(Segment.id).where(Segment.video_id == video_id).order_by(Segment.number)))


def planned(parts: Sequence[Observations], end_s: float) -> list[SegmentRow]:
    """The plan of a video whose segments have these rows, and whose analysed part ends then."""
    times_s = [part["timestamp_s"][np.unique(part["frame"], return_index=True)[1]] for part in parts]
    steps_s = np.diff(np.concatenate(times_s))
    ends_s = [*(float(times[0]) for times in times_s[1:]), end_s]
    unit = {"origin_pts": 0, "time_base_numerator": 1, "time_base_denominator": _TICKS}
    unit["interval_pts"] = round(float(np.median(steps_s)) * _TICKS) if len(steps_s) else 0
    return [
        SegmentRow(
            {"index": index, "start_pts": round(times[0] * _TICKS), "until_pts": round(end * _TICKS), **unit},
            np.unique(part["frame"]).astype(np.int64),
            np.round(times * _TICKS).astype(np.int64),
        )
        for index, (part, times, end) in enumerate(zip(parts, times_s, ends_s, strict=True))
    ]


def claim(database: Database, segment_id: int, lease_s: float = 60) -> Claim | None:
    with database.write() as session:
        claimed = work.claim_segment(session, segment_id, lease_s, ATTEMPTS)
    return claimed[0] if claimed else None


def rows(frames: Sequence[int], faces: int = 1) -> Observations:
    observations = blank(len(frames) * faces)
    observations["frame"] = np.repeat(frames, faces)
    observations["timestamp_s"] = observations["frame"] / 10
    observations["face"] = np.tile(np.arange(faces), len(frames))
    observations["status"] = Status.OK
    observations["confidence"] = 0.9
    observations["box"] = [1, 2, 30, 40]
    observations["tracklet"] = observations["face"]
    observations["probabilities"] = np.arange(1, 8, dtype=np.float32) / 28
    return observations


def write(
    database: Database, claim: Claim, blocks: Sequence[Observations], embeddings: Mapping[int, Embedding] | None = None
) -> None:
    with database.write() as session:
        _store(session, claim, blocks, embeddings)


def _store(
    session: Session, claim: Claim, blocks: Sequence[Observations], embeddings: Mapping[int, Embedding] | None = None
) -> None:
    assert claim.segment_id is not None
    work.complete_segment(session, claim)
    results.store_segment(session, claim.segment_id, blocks, embeddings=embeddings or {})


def analyse(
    database: Database,
    video_id: str,
    segments: Sequence[SegmentRow],
    blocks: Iterable[Observations],
    info: dict[str, Any],
) -> None:
    """Do for a video that waits what workers do: plan these segments, write the rows of each, and finish it."""
    with database.write() as session:
        analyse_in(session, video_id, segments, blocks, info)


def analyse_in(
    session: Session,
    video_id: str,
    segments: Sequence[SegmentRow],
    blocks: Iterable[Observations],
    info: dict[str, Any],
) -> None:
    """As `analyse`, in one transaction: no worker that runs can take any of it."""
    planning = work.claim_step(session, video_id, Step.PLAN, 600, ATTEMPTS)
    assert planning is not None
    work.save_plan(session, planning, segments, info)
    session.flush()
    ids = session.scalars(select(Segment.id).where(Segment.video_id == video_id).order_by(Segment.number)).all()
    for segment_id, block in zip(ids, blocks, strict=True):
        claimed = work.claim_segment(session, segment_id, 600, ATTEMPTS)
        assert claimed is not None
        _store(session, claimed[0], [block])
    _finish(session, video_id)


def complete(database: Database, segment_id: int, block: Observations) -> None:
    """Do a segment's work: these are its rows."""
    claimed = claim(database, segment_id)
    assert claimed is not None
    write(database, claimed, [block])


def finish(database: Database, video_id: str) -> None:
    """Put a video together whose segments are done."""
    with database.write() as session:
        _finish(session, video_id)


def _finish(session: Session, video_id: str) -> None:
    claimed = work.claim_step(session, video_id, Step.FINISH, 600, ATTEMPTS)
    assert claimed is not None
    results.finish(session, claimed)


def expire(database: Database) -> None:
    with database.write() as session:
        past = videos.now() - timedelta(seconds=1)
        for table in (Segment, Video, Render):
            session.execute(update(table).where(table.lease_until.is_not(None)).values(lease_until=past))


def status(database: Database, video_id: str) -> VideoStatus:
    with database.read() as session:
        return videos.get(session, video_id).status
