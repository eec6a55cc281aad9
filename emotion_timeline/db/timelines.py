"""The rows of a timeline, written a segment at a time; views.shown reads them.

PostgreSQL takes the rows by COPY, which is several times faster than INSERT; SQLite by executemany.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import case, delete, func, insert, select, update
from sqlalchemy.orm import Session

from emotion_timeline import durations
from emotion_timeline.db.tables import Observation, Segment, Tracklet
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.faces import tracking
from emotion_timeline.observations import RANKING, Observations

_CHUNK_ROWS = 5000  # rows in memory at a time, writing and reading
Key = tuple[int, int]
"""A tracklet of a video: its segment's number and its own."""

_COLUMNS = (
    "segment_id", "frame", "face", "timestamp_s", "status", "tracklet",
    "confidence", "box_x", "box_y", "box_w", "box_h", *EMOTIONS,
)  # fmt: skip


def replace_segment(
    session: Session, segment_id: int, blocks: Sequence[Observations], tracklets: Sequence[Mapping[str, Any]]
) -> None:
    """Store a segment's rows and tracklets in place of any earlier ones; see results.store_segment.

    Args:
        session: an open transaction.
        segment_id: the segment.
        blocks: OBSERVATION arrays, each in order of frame and face.
        tracklets: the columns of each, as views.appearances.measured gives them.
    """
    session.execute(delete(Observation).where(Observation.segment_id == segment_id))
    session.execute(delete(Tracklet).where(Tracklet.segment_id == segment_id))
    insert_observations(session, segment_id, blocks)
    if tracklets:
        session.execute(insert(Tracklet), [{"segment_id": segment_id, **columns} for columns in tracklets])


def insert_observations(session: Session, segment_id: int, blocks: Sequence[Observations]) -> None:
    """Bulk insert; see replace_segment."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        cursor: psycopg.Cursor[Any] = connection.connection.cursor()  # type: ignore[assignment] # psycopg's own, for COPY
        with cursor, cursor.copy(f"COPY observations ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for row in _rows(segment_id, blocks):
                copy.write_row(row)
        return
    sql = f"INSERT INTO observations ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    for block in _chunks(blocks):
        connection.exec_driver_sql(sql, list(_rows(segment_id, [block])))


def _chunks(blocks: Sequence[Observations]) -> Iterator[Observations]:
    for block in blocks:
        for start in range(0, len(block), _CHUNK_ROWS):
            yield block[start : start + _CHUNK_ROWS]


def _rows(segment_id: int, blocks: Sequence[Observations]) -> Iterator[tuple[Any, ...]]:
    """Tuples in the order of _COLUMNS, NaN and absent tracklets as None."""
    for block in _chunks(blocks):
        measured = np.column_stack([block["confidence"], block["box"], block["probabilities"]]).astype(object)
        measured[measured != measured] = None  # NaN is the only value unlike itself
        tracklets = [None if number < 0 else number for number in block["tracklet"].tolist()]
        fixed = (block[name].tolist() for name in ("frame", "face", "timestamp_s", "status"))
        for *head, tracklet, values in zip(*fixed, tracklets, measured.tolist(), strict=True):
            yield (segment_id, *head, tracklet, *values)


def picture_sizes(session: Session, video_id: str) -> list[list[int]]:
    """Width and height of every picture that was analysed, each once, in its own pixels as displayed."""
    found = session.scalars(select(Segment.picture_sizes).where(Segment.video_id == video_id)).all()
    return sorted([*size] for size in {tuple(size) for sizes in found for size in sizes or ()})


def turns(session: Session, video_id: str) -> Sequence[list[int] | None]:
    """Of each segment, how many frames vote for each turn: see emotion_timeline.turning."""
    return session.scalars(select(Segment.turns).where(Segment.video_id == video_id)).all()


def tracklets(session: Session, video_id: str) -> list[tracking.Tracklet]:
    """All tracklets of a video, by segment and number."""
    rows = session.execute(
        select(Segment.number, Tracklet)
        .join(Tracklet, Tracklet.segment_id == Segment.id)
        .where(Segment.video_id == video_id)
        .order_by(Segment.number, Tracklet.number)
    )
    return [
        tracking.Tracklet(
            segment=segment,
            number=row.number,
            first_timestamp_s=row.first_timestamp_s,
            last_timestamp_s=row.last_timestamp_s,
            until_s=row.until_s,
            first_box=_box(row.first_box),
            last_box=_box(row.last_box),
        )
        for segment, row in rows
    ]


def _box(values: Sequence[float]) -> tracking.Box:
    x, y, width, height = values
    return x, y, width, height


def looks(session: Session, video_id: str) -> tuple[dict[Key, NDArray[np.float32]], list[tuple[Key, Key]]]:
    """What tells the tracklets of a video apart: the embeddings of those that have one, float32 (128,), and pairs that
    are in one frame together; each by its segment's number and its own."""
    rows = session.execute(
        select(Segment.number, Tracklet.number, Tracklet.seen_with, Tracklet.embedding)
        .join(Tracklet, Tracklet.segment_id == Segment.id)
        .where(Segment.video_id == video_id)
    )
    embeddings, together = {}, []
    for segment, number, others, embedding in rows:
        together += [((segment, number), (segment, other)) for other in others if number < other]
        if embedding is not None:
            embeddings[segment, number] = np.frombuffer(embedding, "<f4")
    return embeddings, together


def number_tracklets(
    session: Session, video_id: str, track_ids: Mapping[Key, int], face_ids: Mapping[int, int]
) -> None:
    """Give every tracklet its numbers over the whole video.

    Args:
        session: an open transaction.
        video_id: the video.
        track_ids: the number of each tracklet's track, by its segment's number and its own.
        face_ids: the number of each track's person.
    """
    numbered = session.execute(select(Segment.number, Segment.id).where(Segment.video_id == video_id))
    segments = {number: segment_id for number, segment_id in numbered}
    values = [
        {"segment_id": segments[segment], "number": number, "track_id": track_id, "face_id": face_ids[track_id]}
        for (segment, number), track_id in track_ids.items()
    ]
    if values:
        session.execute(update(Tracklet), values)


def interval_s(session: Session, video_id: str) -> float:
    """Seconds between a planned video's sampled frames; see emotion_timeline.durations."""
    plan = session.scalar(select(Segment.plan).where(Segment.video_id == video_id).limit(1))
    return 0.0 if plan is None else durations.interval_s(plan)


def counts_by_status(session: Session, video_id: str) -> dict[str, int]:
    """Frames of a video by status, with every status named. A frame with several faces counts once, with its best: one
    classified face makes it ok, else one that is too small makes it too_small."""
    rank = case({status.value: rank for rank, status in enumerate(RANKING)}, value=Observation.status)
    frames = (
        select(func.min(rank).label("rank"))
        .join(Segment, Segment.id == Observation.segment_id)
        .where(Segment.video_id == video_id)
        .group_by(Observation.segment_id, Observation.frame)
        .subquery()
    )
    counted = session.execute(select(frames.c.rank, func.count()).group_by(frames.c.rank))
    found: dict[int, int] = {rank: count for rank, count in counted}
    return {status.name.lower(): found.get(rank, 0) for rank, status in enumerate(RANKING)}
