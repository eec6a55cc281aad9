"""Put what the pipeline found into the database: a segment at a time, and at last the whole video together."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from emotion_timeline.db import renders, timelines, videos, work
from emotion_timeline.db.tables import Segment
from emotion_timeline.db.work import Claim
from emotion_timeline.errors import VideoError
from emotion_timeline.faces import persons
from emotion_timeline.faces.embedding import Embedding
from emotion_timeline.faces.tracking import join
from emotion_timeline.media.shots import Edges, continues
from emotion_timeline.observations import Observations, blank
from emotion_timeline.turning import TURNS, turn_of
from emotion_timeline.views import appearances, cast, curves, strips


def store_segment(
    session: Session,
    segment_id: int,
    blocks: Sequence[Observations],
    edges: Edges | None = None,
    embeddings: Mapping[int, Embedding] = MappingProxyType({}),
) -> None:
    """Store a segment's rows, tracklets, shots and curves in place of any earlier ones.

    Args:
        session: an open transaction, which holds the fence: see work.complete_segment.
        segment_id: the segment.
        blocks: OBSERVATION arrays, each in order of frame and face.
        edges: of its shots; None where there is no picture.
        embeddings: of the tracklets that can be told apart, by number.
    """
    observations = np.concatenate([blank(0), *blocks])
    segment = session.get_one(Segment, segment_id)
    segment.picture_sizes, segment.turns = _picture_sizes(observations), _turns(observations)
    tracklets = appearances.measured(observations, segment.plan)
    for tracklet in tracklets:
        embedding = embeddings.get(tracklet["number"])
        tracklet["embedding"] = None if embedding is None else embedding.astype("<f4").tobytes()
    timelines.replace_segment(session, segment_id, blocks, tracklets)
    segment.shots = _beginnings(observations)
    segment.opening, segment.closing = (edges.opening, edges.closing) if edges else (b"", b"")
    curves.replace(session, segment_id, observations)


def _picture_sizes(observations: Observations) -> list[list[int]]:
    """Widths and heights of the pictures that could be decoded, each once."""
    sizes = np.unique(observations["picture"], axis=0).tolist()
    return [size for size in sizes if size != [0, 0]]


def _turns(observations: Observations) -> list[int]:
    """How many frames vote for each of TURNS."""
    _, firsts = np.unique(observations["frame"], return_index=True)
    turns = observations["turn"][firsts]
    return [int(np.count_nonzero(turns == quarters)) for quarters in range(len(TURNS))]


def finish(session: Session, claim: Claim) -> None:
    """Give every face the numbers of its track and of its person, and the video its summary; mark it done.

    Raises:
        LeaseLost: the claim is not valid any more.
        VideoError: not one frame could be decoded.
    """
    video = videos.get(session, claim.video_id)
    shots = _shots(session, video.id)
    interval_s = timelines.interval_s(session, video.id)
    track_ids = join(timelines.tracklets(session, video.id), interval_s, [begin_s for _, begin_s in shots])
    embeddings, together = timelines.looks(session, video.id)
    face_ids = persons.group(track_ids, embeddings, together)
    timelines.number_tracklets(session, video.id, track_ids, face_ids)
    appearances.store(session, video)
    counts = timelines.counts_by_status(session, video.id)
    if video.frames_total and counts["decode_error"] == video.frames_total:
        raise VideoError(
            "undecodable",
            f"No frame of {video.filename} could be decoded. Upload or copy it again; if another program plays it, "
            "convert it to H.264 MP4.",
        )
    video.info = {**video.info, "picture_sizes": timelines.picture_sizes(session, video.id)}
    summary = {
        "frames_by_status": counts,
        "turn": turn_of(timelines.turns(session, video.id)),
        "faces": len(set(face_ids.values())),
        "persons_alike": persons.ALIKE if embeddings else None,
        "shots": shots,
        "strip": strips.of(session, video),
        **cast.summary(session, video.id),
    }
    work.complete_video(session, claim, summary)
    renders.order_for_done(session, video)


def _beginnings(observations: Observations) -> list[tuple[int, float]]:
    """Frame and time of the first frame of each shot."""
    begins = observations[observations["begins_shot"]]
    _, first = np.unique(begins["frame"], return_index=True)
    return list(zip(begins["frame"][first].tolist(), begins["timestamp_s"][first].tolist(), strict=True))


def _shots(session: Session, video_id: str) -> list[tuple[int, float]]:
    """Frame and time of the first frame of each shot of the whole video: the segments put together."""
    columns = select(Segment.shots, Segment.opening, Segment.closing).where(Segment.video_id == video_id)
    whole: list[tuple[int, float]] = []
    before: Edges | None = None
    for shots, opening, closing in session.execute(columns.order_by(Segment.number)):
        if shots and opening and closing:
            edges = Edges(opening, closing)
            goes_on = before is not None and continues(before, edges)
            whole += shots[goes_on:]
            before = edges
    return whole
