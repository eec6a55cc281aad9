"""Which faces of a video are shown, and how."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.db.tables import Segment, Tracklet


@dataclass(frozen=True)
class ShownFace:
    """What a tracked face is shown as."""

    face_id: int
    name: str | None
    hidden: bool


def shown(session: Session, video_id: str) -> dict[int, ShownFace]:
    """Every tracked face of a video, by its number."""
    tracked = select(Tracklet.face_id).join(Segment).where(Segment.video_id == video_id).distinct()
    return {face_id: ShownFace(face_id, None, False) for face_id in session.scalars(tracked) if face_id is not None}
