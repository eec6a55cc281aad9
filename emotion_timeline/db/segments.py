"""The stored rows of a segment, as columns."""

import math

import numpy as np
from sqlalchemy import Float, select, type_coerce
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Observation
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Observations, blank


def read(session: Session, segment_id: int, from_s: float = -math.inf, to_s: float = math.inf) -> Observations:
    """A segment's rows, or those from one time up to another, not included, in order; without their boxes."""
    whole = (Observation.frame, Observation.timestamp_s, Observation.status, Observation.face, Observation.tracklet)
    # As plain floats: turning 20,000 rows' singles into Python's nearest doubles would take most of the time.
    single = [type_coerce(getattr(Observation, name), Float) for name in ("confidence", *EMOTIONS)]
    query = select(*whole, *single).where(Observation.segment_id == segment_id)
    if from_s > -math.inf:
        query = query.where(Observation.timestamp_s >= from_s)
    if to_s < math.inf:
        query = query.where(Observation.timestamp_s < to_s)
    rows = session.execute(query.order_by(Observation.frame, Observation.face)).all()
    table = np.array(rows, np.float64).reshape(len(rows), len(whole) + len(single))
    observations = blank(len(rows))
    for place, name in enumerate(("frame", "timestamp_s", "status", "face")):
        observations[name] = table[:, place]
    observations["tracklet"] = np.nan_to_num(table[:, 4], nan=-1)
    observations["confidence"] = table[:, 5]
    observations["probabilities"] = table[:, 6:]
    return observations
