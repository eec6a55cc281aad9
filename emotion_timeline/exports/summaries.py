"""Summaries of a timeline as CSVs: means per second, and one row for each face."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, pairwise

from sqlalchemy.orm import Session

from emotion_timeline.clip import Clip
from emotion_timeline.db.tables import Video
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.dictionary import PER_FACE, PER_SECOND
from emotion_timeline.exports.tidy import ends, lines, strongest, text
from emotion_timeline.faces.tracking import longest_gap_s
from emotion_timeline.views import shown
from emotion_timeline.views.shown import HIDDEN, ShownRow

_RANKING = ("ok", "too_small", "no_face", "decode_error")  # a frame with two rows of one face counts with the better


@dataclass(slots=True)
class _Sums:
    """What the rows of one face, or of no face, add up to."""

    name: str
    frames: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_RANKING, 0))
    rows: int = 0  # with probabilities
    probabilities: list[float] = field(default_factory=lambda: [0.0] * len(EMOTIONS))
    strongest: list[int] = field(default_factory=lambda: [0] * len(EMOTIONS))
    found: int = 0  # rows with a confidence
    confidence: float = 0.0
    first_s: float = 0.0
    last_s: float = 0.0
    on_screen_s: float = 0.0

    def add(self, rows: Sequence[ShownRow], lasts_s: float = 0.0) -> None:
        """Add what one frame shows of it; a face that was merged with another can be there twice."""
        timestamp_s = rows[0].timestamp_s
        self.first_s = timestamp_s if not any(self.frames.values()) else self.first_s
        self.last_s, self.on_screen_s = timestamp_s, self.on_screen_s + lasts_s
        statuses = {"no_face" if row.status == HIDDEN else row.status for row in rows}
        self.frames[min(statuses, key=_RANKING.index)] += 1
        for row in rows:
            if row.confidence is not None:
                self.found, self.confidence = self.found + 1, self.confidence + row.confidence
            if row.probabilities is not None:
                self.rows += 1
                self.strongest[strongest(row.probabilities)] += 1
                self.probabilities = [a + b for a, b in zip(self.probabilities, row.probabilities, strict=True)]

    def means(self) -> list[float] | None:
        """Mean probabilities; None without any."""
        return [total / self.rows for total in self.probabilities] if self.rows else None


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
        faces: dict[int | None, _Sums] = {}
        for face_id, rows in chain.from_iterable(map(_by_face, frames)):
            faces.setdefault(face_id, _Sums(rows[0].face_name)).add(rows)
        for face_id, sums in sorted(faces.items(), key=lambda item: (item[0] is None, item[0])):
            means = sums.means()
            yield (
                *head,
                str(second),
                "" if face_id is None else str(face_id),
                text(sums.name),
                str(sum(sums.frames.values())),
                *(str(sums.frames[status]) for status in _RANKING),
                *_numbers(means),
                EMOTIONS[strongest(means)] if means else "",
                tail,
            )


def _second(frame: Sequence[ShownRow]) -> int:
    return int(round(frame[0].timestamp_s, 6))  # of the time as the CSV has it


def face_lines(session: Session, video: Video, *, hidden: bool) -> Iterator[str]:
    """One row for each face; arguments and result are those of second_lines()."""
    return lines(PER_FACE.header, _faces(session, video, hidden))


def _faces(session: Session, video: Video, hidden: bool) -> Iterator[tuple[str, ...]]:
    head, tail = ends(video)
    faces: dict[int, _Sums] = {}
    for frame, lasts_s in _lasting(shown.frames(session, video.id, hidden=hidden), video):
        for face_id, rows in _by_face(frame):
            if face_id is not None:
                faces.setdefault(face_id, _Sums(rows[0].face_name)).add(rows, lasts_s)
    for face_id, sums in sorted(faces.items()):
        yield (
            *head,
            str(face_id),
            text(sums.name),
            str(sum(sums.frames.values())),
            str(sums.frames["ok"]),
            str(sums.frames["too_small"]),
            f"{sums.first_s:.6f}",
            f"{sums.last_s:.6f}",
            f"{sums.on_screen_s:.6f}",
            *_numbers(sums.means()),
            *_numbers([count / sums.rows for count in sums.strongest] if sums.rows else None),
            f"{sums.confidence / sums.found:.6f}" if sums.found else "",
            tail,
        )


def _lasting(frames: Iterator[Sequence[ShownRow]], video: Video) -> Iterator[tuple[Sequence[ShownRow], float]]:
    """Each frame with the time that it stands for: to the next analysed one or the end of what was analysed, but no
    longer than a face is followed without being seen."""
    longest_s = longest_gap_s(1 / video.sample_hz if video.sample_hz else 0.0)
    _, last_s = Clip(video.clip_start_s, video.clip_end_s).within(video.duration_s)
    for frame, after in pairwise(chain(frames, [None])):
        assert frame is not None, "None comes last"
        end_s = after[0].timestamp_s if after else last_s
        yield frame, min(max(end_s - frame[0].timestamp_s, 0.0), longest_s)


def _by_face(frame: Sequence[ShownRow]) -> Iterator[tuple[int | None, list[ShownRow]]]:
    """The rows of a frame by face."""
    faces: dict[int | None, list[ShownRow]] = {}
    for row in frame:
        faces.setdefault(row.face_id, []).append(row)
    yield from faces.items()


def _numbers(values: Sequence[float] | None) -> list[str]:
    return [""] * len(EMOTIONS) if values is None else [f"{value:.6f}" for value in values]
