"""The strongest moments of a video: where to look first."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Face
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.views.appearances import APART_S
from emotion_timeline.views.cast import shown


@dataclass(frozen=True)
class Moment:
    """One frame in which a face shows an emotion more surely than around it.

    Attributes:
        face_id: of the face that is shown; see faces.shown.
        frame: 0-based index in presentation order.
        timestamp_s: seconds from the first frame.
        probability: of the emotion, at least appearances.SURE.
        box: of the face, x, y, width, height in displayed pixels.
    """

    emotion: str
    face_id: int
    frame: int
    timestamp_s: float
    probability: float
    box: tuple[float, ...]


def strongest(session: Session, video_id: str, per_emotion: int = 4) -> list[Moment]:
    """The strongest moments of the faces that aren't hidden, by emotion, the strongest first.

    An emotion needs a probability of a half: then it is more probable than all the others together, and no frame is a
    moment of two. However long a face goes on showing it, that is one moment, at its peak; and moments of an emotion
    lie at least two seconds apart, or they would be pictures of the same.

    Args:
        session: an open session.
        video_id: a video that is done.
        per_emotion: at most so many, 1 to 6. A face's own moments lie apart already, so each that is taken stands in
            the way of two others of a face at the most: of the 12 that are kept for each face, one is left for the 6th.
    """
    candidates = sorted(_candidates(session, video_id), key=lambda m: (-m.probability, m.frame, m.face_id))
    return [moment for emotion in EMOTIONS for moment in _apart(candidates, emotion, per_emotion)]


def _apart(candidates: list[Moment], emotion: str, most: int) -> list[Moment]:
    taken: list[Moment] = []
    for moment in candidates:
        if moment.emotion == emotion and all(abs(moment.timestamp_s - t.timestamp_s) >= APART_S for t in taken):
            taken.append(moment)
    return taken[:most]


def _candidates(session: Session, video_id: str) -> Iterator[Moment]:
    faces = shown(session, video_id)
    stored = session.execute(select(Face.face_id, Face.peaks).where(Face.video_id == video_id))
    for face_id, peaks in stored:
        face = faces[face_id]
        if not face.hidden:
            for peak in peaks:
                yield Moment(**{**peak, "face_id": face.face_id, "box": tuple(peak["box"])})
