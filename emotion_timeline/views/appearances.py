"""What the rows of each face add up to: when it was seen, its best frame, its emotions, its strongest frames.

A tracklet's rows are measured once, when its segment is stored. What a face measures is put together from its
tracklets when the video is finished, and again when a person merges it or splits it off; rows are read again only in
segments in which faces that count as one are seen together.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from heapq import nlargest
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from emotion_timeline import durations, shares
from emotion_timeline.db import segments
from emotion_timeline.db.tables import Face, Segment, Tracklet, Video
from emotion_timeline.durations import Plan, stands_s
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, Status
from emotion_timeline.shares import Sums

SURE = 0.5
"""From this probability on an emotion is more probable than all the others together."""
APART_S = 2.0
"""Moments of an emotion lie at least this far apart; so does one plateau of a face from the next."""

_PEAKS = 12  # kept of a face and emotion; moments.strongest() says why these are enough
_CLASSIFIED = 2**30  # above any size of a face in pixels


def stands(observations: Observations, plan: Plan) -> NDArray[np.float64]:
    """How long the frame of each row stands: float64 (rows,), seconds.

    Args:
        observations: all rows of a segment, in order of frame.
        plan: the segment's.
    """
    _, starts, frames = np.unique(observations["frame"], return_index=True, return_inverse=True)
    timestamps_s = observations["timestamp_s"][starts]
    return stands_s(timestamps_s, durations.until_s(plan), durations.interval_s(plan))[frames]


def measured(observations: Observations, plan: Plan) -> list[dict[str, Any]]:
    """What the rows of each tracklet of a segment add up to, as columns of its row.

    Args:
        observations: all rows of a segment, in order of frame and face.
        plan: the segment's.
    """
    stands_s = stands(observations, plan)
    numbers = np.unique(observations["tracklet"][observations["tracklet"] >= 0]).tolist()
    own = [observations["tracklet"] == number for number in numbers]
    seen_with = _seen_with(observations)
    return [
        {"number": number, "seen_with": seen_with[number], **measure(observations[rows], stands_s[rows])}
        for number, rows in zip(numbers, own, strict=True)
    ]


def _seen_with(observations: Observations) -> dict[int, list[int]]:
    """The tracklets, by number, that are in a frame together with each."""
    faces = observations[observations["tracklet"] >= 0]
    found: dict[int, set[int]] = defaultdict(set)
    step = 1
    while (same := faces["frame"][step:] == faces["frame"][:-step]).any():
        pairs = np.stack([faces["tracklet"][:-step][same], faces["tracklet"][step:][same]], axis=1)
        for a, b in np.unique(pairs, axis=0).tolist():
            found[a].add(b)
            found[b].add(a)
        step += 1
    return defaultdict(list, {number: sorted(others) for number, others in found.items()})


def measure(rows: Observations, stands_s: NDArray[np.float64]) -> dict[str, Any]:
    """What one tracklet's rows add up to, as columns of its own row.

    Args:
        rows: of one tracklet in one segment, in order of frame, at least one.
        stands_s: float64 (n,), how long the frame of each stands.
    """
    first, last = rows[0], rows[-1]
    return {
        "first_timestamp_s": float(first["timestamp_s"]),
        "last_timestamp_s": float(last["timestamp_s"]),
        "until_s": float(last["timestamp_s"] + stands_s[-1]),
        "first_box": first["box"].tolist(),
        "last_box": last["box"].tolist(),
        "sums": Sums.of(rows, stands_s).as_json(),
        "best": _best(rows),
        "plateaus": _plateaus(rows),
    }


def _best(rows: Observations) -> dict[str, Any]:
    """The frame with the highest confidence times size, a classified one if there is one; the earliest of equals."""
    confidence, boxes = rows["confidence"].astype(np.float64), rows["box"].astype(np.float64)
    ranks = np.round(confidence**2 * boxes[:, 2] * boxes[:, 3]) + _CLASSIFIED * (rows["status"] == Status.OK)
    place = int(ranks.argmax())
    return {"rank": float(ranks[place]), **_place(rows[place])}


def _place(row: Any) -> dict[str, Any]:
    return {"frame": int(row["frame"]), "timestamp_s": float(row["timestamp_s"]), "box": row["box"].tolist()}


def _plateaus(rows: Observations) -> list[dict[str, Any]]:
    """Stretches in which the face shows an emotion surely, with no pause of APART_S, and the peak of each."""
    classified = rows[rows["status"] == Status.OK]
    strongest = classified["probabilities"].argmax(axis=1) if len(classified) else np.zeros(0, np.intp)
    probabilities = classified["probabilities"][np.arange(len(classified)), strongest]
    found = []
    for place, emotion in enumerate(EMOTIONS):
        chosen = np.flatnonzero((strongest == place) & (probabilities >= SURE))
        pauses = np.flatnonzero(np.diff(classified["timestamp_s"][chosen]) >= APART_S) + 1
        for part in np.split(chosen, pauses):
            if len(part):
                peak = part[probabilities[part].argmax()]
                first_s, last_s = classified["timestamp_s"][part[[0, -1]]].tolist()
                values = {"probability": float(probabilities[peak]), **_place(classified[peak])}
                found.append({"emotion": emotion, "first_s": first_s, "last_s": last_s, **values})
    return found


def store(session: Session, video: Video) -> None:
    """Write the measures of a finished video's faces; what a person said of a face stays with its number."""
    tracklets = _tracklets(session, video.id)
    known = {face.face_id: face for face in session.scalars(select(Face).where(Face.video_id == video.id))}
    for face_id, own in tracklets.items():
        face = known.pop(face_id, None) or Face(video_id=video.id, face_id=face_id)
        best = min((tracklet.best for tracklet in own), key=lambda best: (-best["rank"], best["frame"]))
        face.best_frame, face.best_timestamp_s, face.best_box = best["frame"], best["timestamp_s"], best["box"]
        face.peaks = _peaks(plateau for tracklet in own for plateau in tracklet.plateaus)
        face.sums = Sums.total(Sums.from_json(tracklet.sums) for tracklet in own).as_json()
        session.add(face)
    for gone in known.values():
        session.delete(gone)
    session.flush()
    left = select(Face).where(Face.video_id == video.id, Face.merged_into.in_(list(known)))
    for face in session.scalars(left):
        face.merged_into = None
    session.flush()
    targets = select(Face.merged_into).where(Face.video_id == video.id, Face.merged_into.is_not(None)).distinct()
    add_up(session, video.id, [target for target in session.scalars(targets).all() if target is not None])


def add_up(session: Session, video_id: str, face_ids: Iterable[int]) -> None:
    """Write anew what these faces, none of them merged, and those that are merged into each add up to."""
    for face_id in face_ids:
        followers = select(Face.face_id).where(Face.video_id == video_id, Face.merged_into == face_id)
        group = [face_id, *session.scalars(followers)]
        session.get_one(Face, (video_id, face_id)).sums = _sums(session, video_id, group).as_json()


def _sums(session: Session, video_id: str, group: Collection[int]) -> Sums:
    """What the frames add up to in which any of some faces is seen."""
    found = [one for own in _tracklets(session, video_id, group).values() for one in own]
    parts = []
    for segment_id, here in groupby(sorted(found, key=lambda one: one.segment_id), key=lambda one: one.segment_id):
        tracklets = list(here)
        if shares.are_seen_together((one.first_timestamp_s, one.last_timestamp_s) for one in tracklets):
            parts.append(_seen_together(session, segment_id, [one.number for one in tracklets]))
        else:
            parts += [Sums.from_json(one.sums) for one in tracklets]
    return Sums.total(parts)


def _seen_together(session: Session, segment_id: int, numbers: Sequence[int]) -> Sums:
    rows = segments.read(session, segment_id)
    stand_s = stands(rows, session.get_one(Segment, segment_id).plan)
    theirs = np.isin(rows["tracklet"], numbers)
    counts = theirs & shares.once_per_frame(rows, theirs.astype(np.int32))
    return Sums.of(rows[counts], stand_s[counts])


def _tracklets(session: Session, video_id: str, group: Collection[int] | None = None) -> dict[int, list[Row[Any]]]:
    """The tracklets of each face, in order of time."""
    names = ("segment_id", "number", "face_id", "first_timestamp_s", "last_timestamp_s", "sums", "best", "plateaus")
    query = select(*(getattr(Tracklet, name) for name in names)).join(Segment).where(Segment.video_id == video_id)
    query = query.where(Tracklet.face_id.is_not(None) if group is None else Tracklet.face_id.in_(group))
    faces: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(query.order_by(Tracklet.face_id, Segment.number, Tracklet.number)):
        faces[row.face_id].append(row)
    return faces


def _peaks(plateaus: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The peaks of a face's strongest plateaus, which may go on over the cuts between segments."""
    found: list[dict[str, Any]] = []
    by_emotion = sorted(plateaus, key=lambda plateau: (EMOTIONS.index(plateau["emotion"]), plateau["first_s"]))
    for _, same in groupby(by_emotion, key=lambda plateau: plateau["emotion"]):
        joined: list[dict[str, Any]] = []
        last_s = -APART_S
        for plateau in same:
            if joined and plateau["first_s"] - last_s < APART_S:
                joined[-1] = max(joined[-1], plateau, key=_strength)
            else:
                joined.append(plateau)
            last_s = plateau["last_s"]
        found += nlargest(_PEAKS, joined, key=_strength)
    return [{name: value for name, value in peak.items() if name not in ("first_s", "last_s")} for peak in found]


def _strength(peak: dict[str, Any]) -> tuple[float, int]:
    """Greater is stronger; of equals the earlier."""
    return peak["probability"], -peak["frame"]
