"""The faces of a finished video as people see them: named, merged and hidden, always reversibly.

What was followed stays as it is. A person's word lies beside it in three columns of `faces`, and whoever shows a face
or exports one asks here what stands for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Face, Segment, Tracklet, Video, VideoStatus
from emotion_timeline.db.videos import get
from emotion_timeline.errors import Conflict, NotFound
from emotion_timeline.shares import Sums
from emotion_timeline.views import appearances


@dataclass(frozen=True)
class ShownFace:
    """What stands for a face that was followed.

    Attributes:
        face_id: its own number, or that of the face that it is merged into.
        name: what a person calls that one; None without a name.
        hidden: whether that one is left out of chart, cards and summaries.
    """

    face_id: int
    name: str | None
    hidden: bool


@dataclass(frozen=True)
class Card:
    """A face as it is shown, with those that are merged into it.

    The best frame is that of the face itself, whose picture a person chose by merging others into it.

    Attributes:
        merged: numbers of the faces that are merged into it.
        sums: what the frames add up to in which it, or one of those, is seen.
        best_box: x, y, width, height in displayed pixels.
    """

    face_id: int
    name: str | None
    hidden: bool
    merged: tuple[int, ...]
    sums: Sums
    best_frame: int
    best_timestamp_s: float
    best_box: tuple[float, ...]

    @property
    def label(self) -> str:
        """The name, or the number in words."""
        return self.name or f"Face {self.face_id}"


def shown(session: Session, video_id: str) -> dict[int, ShownFace]:
    """What stands for each face that was followed, by its number, in order."""
    faces = {face.face_id: face for face in rows(session, video_id)}
    targets = {face_id: faces[face.merged_into or face_id] for face_id, face in faces.items()}
    return {face_id: ShownFace(face.face_id, face.name, face.hidden) for face_id, face in targets.items()}


def cards(session: Session, video_id: str) -> list[Card]:
    """The faces that are shown, hidden ones too: longest on screen first, then by number."""
    groups: dict[int, list[Face]] = {}
    for face in sorted(rows(session, video_id), key=lambda face: (face.merged_into is not None, face.face_id)):
        groups.setdefault(face.merged_into or face.face_id, []).append(face)
    made = [_card(target, merged) for target, *merged in groups.values()]
    return sorted(made, key=lambda card: (-round(card.sums.on_screen_s, 3), card.face_id))


def card(session: Session, video_id: str, face_id: int) -> Card:
    """The card that a face is on.

    Raises:
        NotFound: there is no such face.
    """
    for found in cards(session, video_id):
        if face_id in (found.face_id, *found.merged):
            return found
    raise NotFound(_missing(face_id))


def rows(session: Session, video_id: str) -> Sequence[Face]:
    """The row of every face that was followed, by number."""
    return session.scalars(select(Face).where(Face.video_id == video_id).order_by(Face.face_id)).all()


def tracks(session: Session, video_id: str) -> dict[int, list[int]]:
    """The numbers of the tracks that show each face, by the face's number."""
    numbers = select(Tracklet.face_id, Tracklet.track_id).join(Segment).where(Segment.video_id == video_id).distinct()
    found: dict[int, list[int]] = {}
    for face_id, track_id in session.execute(numbers.order_by(Tracklet.face_id, Tracklet.track_id)):
        if face_id is not None and track_id is not None:
            found.setdefault(face_id, []).append(track_id)
    return found


def summary(session: Session, video_id: str) -> dict[str, Any]:
    """What the faces of a video that aren't hidden add up to, for its summary: `faces_shown`, how many there are, and
    `emotion_frames`, the classified frames of all of them by their most probable emotion."""
    seen = [card for card in cards(session, video_id) if not card.hidden]
    return {"faces_shown": len(seen), "emotion_frames": Sums.total(card.sums for card in seen).emotion_frames}


def require_done(video: Video) -> None:
    """Raises Conflict unless a video is done."""
    if video.status is not VideoStatus.DONE:
        raise Conflict(f"Faces can be seen when the video is done; this one is {video.status.value}.")


def rename(session: Session, video_id: str, face_id: int, name: str | None) -> None:
    """Call a face something, or nothing.

    Raises:
        NotFound: there is no such video or face.
        Conflict: the video is not done, or the face is merged into another.
    """
    _unmerged(session, video_id, face_id, "renamed").name = name


def hide(session: Session, video_id: str, face_id: int) -> None:
    """Leave a face out of chart, cards and summaries. Raises as rename does."""
    _unmerged(session, video_id, face_id, "hidden").hidden = True
    _tell(session, video_id)


def show(session: Session, video_id: str, face_id: int) -> None:
    """Undo hide. Raises as rename does."""
    _unmerged(session, video_id, face_id, "shown").hidden = False
    _tell(session, video_id)


def merge(session: Session, video_id: str, face_id: int, into: int) -> None:
    """Count a face, and those that are merged into it, as another, or as the one that the other is merged into.

    Raises:
        NotFound: there is no such video or face.
        Conflict: the video is not done, or the face would be merged into itself.
    """
    face, other = _face(session, video_id, face_id), _face(session, video_id, into)
    target = other.merged_into or other.face_id
    if face_id == into:
        raise Conflict(f"Face {face_id} can't be merged into itself; choose another face.")
    if face_id == target:
        raise Conflict(f"Face {into} is merged into face {face_id} already; split it off first.")
    followers = (Face.video_id == video_id) & (Face.merged_into == face_id)
    session.execute(update(Face).where(followers).values(merged_into=target))
    face.merged_into = target
    session.flush()
    appearances.add_up(session, video_id, [target])
    _tell(session, video_id)


def split(session: Session, video_id: str, face_id: int) -> None:
    """Undo merge for one face, which has its own name again. Nothing happens if it isn't merged.

    Raises:
        NotFound: there is no such video or face.
        Conflict: the video is not done.
    """
    face = _face(session, video_id, face_id)
    target, face.merged_into = face.merged_into, None
    if target is not None:
        session.flush()
        appearances.add_up(session, video_id, [target, face_id])
        _tell(session, video_id)


def _tell(session: Session, video_id: str) -> None:
    """Keep the video's summary in step with its faces."""
    session.flush()
    video = get(session, video_id)
    video.summary = (video.summary or {}) | summary(session, video_id)


def _face(session: Session, video_id: str, face_id: int) -> Face:
    """A face, to be changed; its video is locked first, as everywhere."""
    require_done(session.get(Video, video_id, with_for_update=True) or get(session, video_id))
    face = session.get(Face, (video_id, face_id))
    if face is None:
        raise NotFound(_missing(face_id))
    return face


def _unmerged(session: Session, video_id: str, face_id: int, change: str) -> Face:
    face = _face(session, video_id, face_id)
    if face.merged_into is not None:
        raise Conflict(
            f"Face {face_id} is merged into face {face.merged_into}, so it can't be {change} by itself. "
            f"Change face {face.merged_into}, or split face {face_id} off first."
        )
    return face


def _missing(face_id: int) -> str:
    return f"There is no face {face_id} in this video."


def _card(target: Face, merged: Sequence[Face]) -> Card:
    return Card(
        face_id=target.face_id,
        name=target.name,
        hidden=target.hidden,
        merged=tuple(face.face_id for face in merged),
        sums=Sums.from_json(target.sums),
        best_frame=target.best_frame,
        best_timestamp_s=target.best_timestamp_s,
        best_box=tuple(target.best_box),
    )
