"""Where on the time line of a recording faces were found, and where not.

The database counts the frames of each status over stretches of the recording, in one pass: a few hundred rows come
back, whatever the recording's length.
"""

from dataclasses import dataclass
from itertools import groupby, pairwise

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from worker.db.tables import Video
from worker.db.timelines import RANKING, ranked_frames


@dataclass(frozen=True)
class Stretch:
    """Some frames in a row.

    Attributes:
        start_s: time of the first analysed one, from the recording's first frame.
        end_s: where the next stretch begins, since a frame stands until the next one; of the last, its last frame.
        frames: analysed frames by status; a frame with several faces counts with its best.
    """

    start_s: float
    end_s: float
    frames: dict[str, int]


def stretches(session: Session, video: Video, most: int) -> list[Stretch]:
    """A video cut into stretches of equally many frames of the recording, without those where none was analysed.

    Args:
        session: an open session.
        video: a video that is done.
        most: stretches at the most.
    """
    frames = ranked_frames(video.id)
    length = max(1, -(-video.info["frame_count"] // most))
    place: ColumnElement[int] = literal_column(f"frames.frame / {int(length)}")
    first_s, last_s = func.min(frames.c.timestamp_s), func.max(frames.c.timestamp_s)
    counted = select(place, frames.c.rank, func.count(), first_s, last_s).group_by(place, frames.c.rank)
    found = []
    for _, rows in groupby(session.execute(counted.order_by(place, frames.c.rank)), key=lambda row: row[0]):
        _, ranks, counts, starts_s, ends_s = zip(*rows, strict=True)
        by_rank = dict(zip(ranks, counts, strict=True))
        by_status = {status.name.lower(): by_rank.get(rank, 0) for rank, status in enumerate(RANKING)}
        found.append(Stretch(min(starts_s), max(ends_s), by_status))
    following = [Stretch(one.start_s, after.start_s, one.frames) for one, after in pairwise(found)]
    return following + found[-1:]
