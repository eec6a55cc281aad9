"""The faces of a finished video as people see them: named, merged and hidden, always reversibly.

What was followed stays as it is. A person's word lies beside it in three columns of `faces`, and whoever shows a face
or exports one asks here what stands for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Face, Segment, Tracklet, Video, VideoStatus
from emotion_timeline.db.videos import get
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import Conflict, NotFound
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

    Sums of merged faces add up: a frame in which two of them are seen counts for both. The best frame is that of the
    face itself, whose picture a person chose by merging others into it.

    Attributes:
        merged: numbers of the faces that are merged into it.
        frames: in which it was found.
        on_screen_s: see appearances.store.
        best_box: x, y, width, height in displayed pixels.
        emotion_frames: classified frames by their most probable emotion.
        emotion_sums: sums of the probabilities over the classified frames.
    """

    face_id: int
    name: str | None
    hidden: bool
    merged: tuple[int, ...]
    frames: int
    first_timestamp_s: float
    last_timestamp_s: float
    on_screen_s: float
    best_frame: int
    best_timestamp_s: float
    best_box: tuple[float, ...]
    emotion_frames: dict[str, int]
    emotion_sums: dict[str, float]

    @property
    def label(self) -> str:
        """The name, or the number in words."""
        return self.name or f"Face {self.face_id}"

    @property
    def frames_classified(self) -> int:
        """Frames with probabilities."""
        return sum(self.emotion_frames.values())

    @property
    def shares(self) -> dict[str, float]:
        """Part of the classified frames in which each emotion is the most probable one, 0-1."""
        return {emotion: count / (self.frames_classified or 1) for emotion, count in self.emotion_frames.items()}

    @property
    def means(self) -> dict[str, float]:
        """Mean probability of each emotion over the classified frames, 0-1."""
        return {emotion: total / (self.frames_classified or 1) for emotion, total in self.emotion_sums.items()}


def shown(session: Session, video_id: str) -> dict[int, ShownFace]:
    """What stands for each face that was followed, by its number, in order."""
    faces = {face.face_id: face for face in _stored(session, video_id)}
    if not faces:  # the video was done before faces had rows, and nobody has looked at them yet
        return {face_id: ShownFace(face_id, None, False) for face_id in _followed(session, video_id)}
    targets = {face_id: faces[face.merged_into or face_id] for face_id, face in faces.items()}
    return {face_id: ShownFace(face.face_id, face.name, face.hidden) for face_id, face in targets.items()}


def members(session: Session, video_id: str) -> dict[ShownFace, list[int]]:
    """The faces that are shown, in order, and the numbers of those that are merged into each."""
    merged: dict[ShownFace, list[int]] = {}
    for face_id, face in sorted(shown(session, video_id).items(), key=lambda item: (item[1].face_id, item[0])):
        merged.setdefault(face, []).extend([face_id] if face_id != face.face_id else [])
    return merged


def cards(session: Session, video_id: str) -> list[Card]:
    """The faces that are shown, hidden ones too: longest on screen first, then by number."""
    groups: dict[int, list[Face]] = {}
    for face in sorted(rows(session, video_id), key=lambda face: (face.merged_into is not None, face.face_id)):
        groups.setdefault(face.merged_into or face.face_id, []).append(face)
    made = [_card(target, merged) for target, *merged in groups.values()]
    return sorted(made, key=lambda card: (-round(card.on_screen_s, 3), card.face_id))


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
    """The row of every face that was followed, by number; made up on the spot, and not stored, for a video that was
    done before there were any.

    Raises:
        NotFound: there is no such video.
    """
    if stored := _stored(session, video_id):
        return stored
    measured = appearances.measure(session, get(session, video_id)).items()
    return [Face(video_id=video_id, face_id=face_id, hidden=False, **measures) for face_id, measures in measured]


def require_done(video: Video) -> None:
    """Raises Conflict unless a video is done."""
    if video.status is not VideoStatus.DONE:
        raise Conflict(f"Faces can be seen when the video is done; this one is {video.status.value}.")


def are_stored(session: Session, video_id: str) -> bool:
    """Whether the faces of a video have their rows; see ensure."""
    followed = select(Tracklet.face_id).join(Segment, Segment.id == Tracklet.segment_id)
    return bool(
        session.scalar(select(exists().where(Face.video_id == video_id)))
        or not session.scalar(select(exists(followed.where(Segment.video_id == video_id))))
    )


def ensure(session: Session, video_id: str) -> None:
    """Store the rows of a video that was done before there were any.

    Raises:
        NotFound: there is no such video.
        Conflict: it is not done.
    """
    video = session.get(Video, video_id, with_for_update=True) or get(session, video_id)
    require_done(video)
    if not are_stored(session, video_id):
        appearances.store(session, video)


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


def show(session: Session, video_id: str, face_id: int) -> None:
    """Undo hide. Raises as rename does."""
    _unmerged(session, video_id, face_id, "shown").hidden = False


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


def split(session: Session, video_id: str, face_id: int) -> None:
    """Undo merge for one face, which has its own name again. Nothing happens if it isn't merged.

    Raises:
        NotFound: there is no such video or face.
        Conflict: the video is not done.
    """
    _face(session, video_id, face_id).merged_into = None


def _stored(session: Session, video_id: str) -> Sequence[Face]:
    return session.scalars(select(Face).where(Face.video_id == video_id).order_by(Face.face_id)).all()


def _followed(session: Session, video_id: str) -> Sequence[int]:
    numbers = select(Tracklet.face_id).join(Segment, Segment.id == Tracklet.segment_id)
    here = numbers.where(Segment.video_id == video_id, Tracklet.face_id.is_not(None))
    return [face_id for face_id in session.scalars(here.distinct().order_by(Tracklet.face_id)) if face_id is not None]


def _face(session: Session, video_id: str, face_id: int) -> Face:
    """A face, to be changed; its video is locked first, as everywhere."""
    ensure(session, video_id)
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
    faces = (target, *merged)
    return Card(
        face_id=target.face_id,
        name=target.name,
        hidden=target.hidden,
        merged=tuple(face.face_id for face in merged),
        frames=sum(face.frames for face in faces),
        first_timestamp_s=min(face.first_timestamp_s for face in faces),
        last_timestamp_s=max(face.last_timestamp_s for face in faces),
        on_screen_s=sum(face.on_screen_s for face in faces),
        best_frame=target.best_frame,
        best_timestamp_s=target.best_timestamp_s,
        best_box=tuple(target.best_box),
        emotion_frames={emotion: sum(face.emotion_frames[emotion] for face in faces) for emotion in EMOTIONS},
        emotion_sums={emotion: sum(face.emotion_sums[emotion] for face in faces) for emotion in EMOTIONS},
    )
