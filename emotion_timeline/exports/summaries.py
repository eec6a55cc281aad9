"""Summaries of a timeline as CSVs: means per second, and one row for each face."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Video
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.dictionary import PER_FACE, PER_SECOND
from emotion_timeline.exports.tidy import ends, lines, text
from emotion_timeline.observations import RANKING
from emotion_timeline.shares import most_probable, rank
from emotion_timeline.views import cast, shown
from emotion_timeline.views.shown import HIDDEN, TimelineRow

_STATUSES = tuple(status.name.lower() for status in RANKING)


@dataclass(slots=True)
class _Second:
    """What the frames of one face, or without one, add up to in a second."""

    name: str
    frames: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_STATUSES, 0))
    probabilities: list[float] = field(default_factory=lambda: [0.0] * len(EMOTIONS))

    def add(self, row: TimelineRow) -> None:
        """Add what one frame shows of it."""
        self.frames["no_face" if row.status == HIDDEN else row.status] += 1
        if row.probabilities is not None:
            self.probabilities = [a + b for a, b in zip(self.probabilities, row.probabilities, strict=True)]

    def means(self) -> list[float] | None:
        """Mean probabilities; None without any."""
        classified = self.frames["ok"]
        return [total / classified for total in self.probabilities] if classified else None


def second_lines(session: Session, video: Video, *, hidden: bool) -> Iterator[str]:
    """Means per second and face.

    Args:
        session: an open session; it must stay open until the last chunk.
        video: a finished video.
        hidden: whether hidden faces are there, too.

    Returns:
        See exports.lines().
    """
    return lines(PER_SECOND.header, _seconds(session, video, hidden))


def _seconds(session: Session, video: Video, hidden: bool) -> Iterator[tuple[str, ...]]:
    head, tail = ends(video)
    for second, frames in groupby(shown.frames(session, video.id, hidden=hidden), key=_second):
        found: dict[int | None, _Second] = {}
        for frame in frames:
            for row in _once(frame):
                found.setdefault(row.face_id, _Second(row.face_name)).add(row)
        for face_id, sums in sorted(found.items(), key=lambda item: (item[0] is None, item[0])):
            means = sums.means()
            yield (
                *head,
                str(second),
                "" if face_id is None else str(face_id),
                text(sums.name),
                str(sum(sums.frames.values())),
                *(str(sums.frames[status]) for status in _STATUSES),
                *_numbers(means),
                EMOTIONS[most_probable(means)] if means else "",
                tail,
            )


def _second(frame: Sequence[TimelineRow]) -> int:
    return int(round(frame[0].timestamp_s, 6))  # of the time as the CSV has it


def face_lines(session: Session, video: Video, *, hidden: bool) -> Iterator[str]:
    """One row for each face; arguments and result are those of second_lines()."""
    return lines(PER_FACE.header, _faces(session, video, hidden))


def _faces(session: Session, video: Video, hidden: bool) -> Iterator[tuple[str, ...]]:
    head, tail = ends(video)
    for card in sorted(cast.cards(session, video.id), key=lambda card: card.face_id):
        if card.hidden and not hidden:
            continue
        sums = card.sums
        classified = sums.frames_classified
        yield (
            *head,
            str(card.face_id),
            text(card.name or ""),
            str(sums.frames),
            str(classified),
            str(sums.frames_too_small),
            f"{sums.first_timestamp_s:.6f}",
            f"{sums.last_timestamp_s:.6f}",
            f"{sums.on_screen_s:.6f}",
            *_numbers(list(sums.means.values()) if classified else None),
            *_numbers(list(sums.shares.values()) if classified else None),
            f"{sums.mean_confidence:.6f}",
            tail,
        )


def _once(frame: Sequence[TimelineRow]) -> Iterator[TimelineRow]:
    """The row that each face, or a frame without one, counts with."""
    found: dict[int | None, list[TimelineRow]] = {}
    for row in frame:
        found.setdefault(row.face_id, []).append(row)
    for rows in found.values():
        yield min(rows, key=lambda row: rank(row.status, row.confidence))


def _numbers(values: Sequence[float] | None) -> list[str]:
    return [""] * len(EMOTIONS) if values is None else [f"{value:.6f}" for value in values]
