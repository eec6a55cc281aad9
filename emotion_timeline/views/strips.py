"""The strip of a video: its whole timeline at a glance, one character for each of up to 120 equal stretches.

It is computed in the database when a video is finished, and kept in its summary. It is a drawing: how much of the
recording shows what is told by emotion_timeline.shares.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, case, cast, func, select
from sqlalchemy.orm import Session

from emotion_timeline.clip import Clip
from emotion_timeline.db.tables import Observation, Segment, Video
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.observations import Status

NO_FACE = "-"
UNREADABLE = "x"
_STRETCHES = 120
_ROUNDING = 1e-6  # of a stretch: a frame at the very beginning of one must not fall into the one before


def of(session: Session, video: Video) -> str:
    """The strip of an analysed video, over what of the recording is analysed; see measure."""
    start_s, end_s = Clip(video.clip_start_s, video.clip_end_s).within(video.duration_s)
    return measure(session, video.id, start_s, end_s)


def measure(session: Session, video_id: str, start_s: float, end_s: float) -> str:
    """Compute a strip.

    A stretch shows the emotion whose mean probability over all classified faces is highest. A frame stands until the
    next one is sampled, so a stretch without a sampled frame shows the same as the one before.

    Args:
        session: an open session.
        video_id: the video, analysed.
        start_s: where the strip begins, seconds from the first frame.
        end_s: where it ends.

    Returns:
        One character a stretch: the emotion's index in EMOTIONS, NO_FACE where no face was found or only ones that are
        too small, UNREADABLE where no frame could be decoded. At most as many as there are sampled frames.
    """
    frames = session.scalar(select(func.sum(Segment.frames_total)).where(Segment.video_id == video_id)) or 0
    stretches = min(_STRETCHES, frames)
    if stretches == 0:
        return ""
    place = (Observation.timestamp_s - start_s) * (stretches / max(end_s - start_s, 1e-9)) + _ROUNDING
    is_readable = case((Observation.status == Status.DECODE_ERROR, 0), else_=1)
    means = [func.avg(getattr(Observation, emotion)) for emotion in EMOTIONS]  # NULL unless a face was classified
    rows = session.execute(
        select(_stretch(session, place, stretches).label("stretch"), func.max(is_readable), *means)
        .join(Segment, Segment.id == Observation.segment_id)
        .where(Segment.video_id == video_id)
        .group_by("stretch")
    )
    return _held({stretch: _character(readable, values) for stretch, readable, *values in rows}, stretches)


def _stretch(session: Session, place: ColumnElement[float], stretches: int) -> ColumnElement[int]:
    """The whole part of a place, within the strip. PostgreSQL's cast rounds; SQLite may be built without floor()."""
    whole = cast(place if session.get_bind().dialect.name == "sqlite" else func.floor(place), Integer)
    return case((place < 0, 0), (place >= stretches, stretches - 1), else_=whole)


def _character(is_readable: int, means: Sequence[float | None]) -> str:
    known = [mean for mean in means if mean is not None]
    if known:
        return str(known.index(max(known)))
    return NO_FACE if is_readable else UNREADABLE


def _held(characters: dict[int, str], stretches: int) -> str:
    shown = characters[min(characters)] if characters else ""
    return "".join(shown := characters.get(stretch, shown) for stretch in range(stretches))
